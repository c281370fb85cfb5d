"""Source `personal`: what fits the stated or inferred taste of the visitor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from reco_svc.domain.candidates import Candidates, Question
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.sources.recent import inverse_decay, recent_rows
from reco_svc.domain.sources.selection import best
from reco_svc.domain.view import View

CATEGORY_WEIGHT, BRAND_WEIGHT, PRICE_WEIGHT, POPULAR_WEIGHT = 1.0, 0.6, 0.3, 0.3
STATED_WEIGHT = 2.0  # of a stated liking against one seen step
MAX_SEEDS = 30
TINY_PRICE = np.float32(1e-6)


class PersonalSource:
    """Affinity to category, brand and price band, then popularity. Silent about a visitor without known taste."""

    name = "personal"
    reason = "fits_taste"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        rows, weights = recent_rows(question, with_history=True)
        rows, weights = rows[-MAX_SEEDS:], weights[-MAX_SEEDS:] * inverse_decay(len(rows[-MAX_SEEDS:]), floor=0.1)
        products, others = view.products, allowed.copy()
        others[rows] = False
        leaf, brand = _shares(products.leaf, rows, weights), _shares(products.brand, rows, weights)
        stated = _stated(view, question)
        if not len(stated) and not leaf.any() and not brand.any():
            return Candidates.none()
        found, scores = _fitting(
            others, products.leaf, products.brand, CATEGORY_WEIGHT * leaf, BRAND_WEIGHT * brand, stated
        )
        scores += np.float32(PRICE_WEIGHT) * _price_fit(view, question, rows, found)
        scores += np.float32(POPULAR_WEIGHT) * np.sqrt(view.popularity.fame(found))
        return best(found, scores, np.full(len(found), -1, np.int64), k, products)


def _shares(codes: npt.NDArray[np.int32], rows: Rows, weights: Vectors) -> Vectors:
    """For each code its share of the weights of `rows`, as long as the greatest of theirs; the last is 0, for -1."""
    seen = codes[rows]
    known = seen >= 0
    if not known.any():
        return np.zeros(1, np.float32)
    share = np.bincount(seen[known], weights[known].astype(np.float64), minlength=int(seen.max()) + 2)
    shares: Vectors = (share / share.sum()).astype(np.float32)
    return shares


@njit(cache=True, nogil=True)
def _fitting(allowed, leaf, brand, leaf_share, brand_share, stated):  # type: ignore[no-untyped-def]
    """Allowed rows of a positive taste, and it: the shares of their codes and what is stated (nothing: empty).

    No branch in the loops over all rows: a processor that guesses wrong at every fifth takes ten times as long.
    """
    last_leaf, last_brand = np.int32(len(leaf_share) - 1), np.int32(len(brand_share) - 1)
    taste, count = np.empty(len(allowed), np.float32), 0
    for row in range(len(allowed)):
        at, by = leaf[row], brand[row]
        value = leaf_share[at if 0 <= at < last_leaf else last_leaf]
        value += brand_share[by if 0 <= by < last_brand else last_brand]
        taste[row] = value
    if len(stated):
        for row in range(len(allowed)):
            taste[row] += stated[row]
    for row in range(len(allowed)):
        taste[row] *= np.float32(allowed[row])
        count += taste[row] > 0
    rows, at = np.empty(count + 1, np.int64), 0  # one place more, where what does not count is written
    for row in range(len(allowed)):
        rows[at] = row
        at += taste[row] > 0
    rows = rows[:count]
    return rows, taste[rows]


def _stated(view: View, question: Question) -> Vectors:
    """For each row of the table how well it fits what the visitor stated; empty where nothing is."""
    preferences = question.preferences
    if preferences is None or not (preferences.categories or preferences.brands):
        return np.empty(0, np.float32)
    products, liked = view.products, np.zeros(len(view.products), np.float32)
    for path in preferences.categories:
        liked += CATEGORY_WEIGHT * STATED_WEIGHT * products.in_category(path)
    for brand in preferences.brands:
        liked += BRAND_WEIGHT * STATED_WEIGHT * products.of_brand(brand)
    return liked


def _price_fit(view: View, question: Question, seen: Rows, found: Rows) -> Vectors:
    """How well the prices of `found` fit the stated band, else the middle of the prices seen; 0 … 1."""
    prices, preferences = view.products.price[found], question.preferences
    if preferences and (preferences.price_min is not None or preferences.price_max is not None):
        low = preferences.price_min or 0.0
        high = np.inf if preferences.price_max is None else preferences.price_max
        return ((prices >= low) & (prices <= high)).astype(np.float32)
    known = view.products.price[seen]
    known = known[known > 0]
    if not len(known):
        return np.zeros(len(found), np.float32)
    middle = float(np.median(np.log(known)))
    fit: Vectors = np.fmax(1.0 - np.abs(np.log(np.maximum(prices, TINY_PRICE)) - middle), 0.0)
    return fit  # an unknown price is NaN, which fmax reads as 0
