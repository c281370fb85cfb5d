"""Source `personal`: what fits the stated or inferred taste of the visitor.

In a shop of more than EVERY_ROW_UP_TO products not all of them are weighed, but those of each liked brand and category
that are nearest in price to what was seen, and the most wanted of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numba import njit

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.model import Preferences
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.price_order import TINY_PRICE
from reco_svc.domain.question import Question
from reco_svc.domain.rows import fewer_than
from reco_svc.domain.sources.leaderboards import popular_board
from reco_svc.domain.sources.selection import best_unexplained
from reco_svc.domain.view import View

CATEGORY_WEIGHT, BRAND_WEIGHT, PRICE_WEIGHT, POPULAR_WEIGHT = 1.0, 0.6, 0.3, 0.3
STATED_WEIGHT = 2.0  # of a stated liking against one seen step
MAX_SEEDS = 30
LEAST_DECAYED = 0.1  # of what the newest counts
EVERY_ROW_UP_TO = 60_000
# In a larger shop: all allowed ones are weighed if they are so few; brands and categories, wanted products looked at.
FEW, MOST_LIKED, FAMOUS = 6_000, 4, 1_000


class PersonalSource:
    """Affinity to category, brand and price band, then popularity. Silent about a visitor without known taste."""

    name = "personal"
    reason = "fits_taste"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        rows, weights = question.recent_with_history
        rows, weights = rows[-MAX_SEEDS:], weights[-MAX_SEEDS:] * _decay(min(len(rows), MAX_SEEDS))
        products = view.products
        leaf, brand = _shares(products.leaf, rows, weights), _shares(products.brand, rows, weights)
        if not _states(question.preferences) and len(leaf) + len(brand) == 2:
            return Candidates.none()
        if len(products) <= EVERY_ROW_UP_TO:
            considered = _all_but(allowed, rows)
        else:
            considered = _shortlist(view, question, k, allowed, leaf, brand, _middle(view, question, rows))
            considered = considered[~np.isin(considered, rows)]
        found, scores = _fitting(
            considered,
            products.leaf,
            products.brand,
            CATEGORY_WEIGHT * leaf,
            BRAND_WEIGHT * brand,
            _stated(view, question, considered),
        )
        _add_price_and_fame(scores, found, products.price, *_prices(view, question, rows), view.popularity.fame(found))
        return best_unexplained(found, scores, k, products)


@cache
def _decay(n: int) -> Vectors:
    """1/n … 1/2, 1 by distance from the newest, never below LEAST_DECAYED; not to be changed."""
    return np.maximum(1.0 / np.arange(n, 0, -1), LEAST_DECAYED).astype(np.float32)


@njit(cache=True, nogil=True)
def _shares(codes, rows, weights):  # type: ignore[no-untyped-def]
    """For each code its share of the weights of `rows`, as long as the greatest of theirs; the last is 0, for -1. Only
    that where none of them has a code."""
    greatest, whole = -1, 0.0
    for row in rows:
        greatest = max(greatest, codes[row])
    shares = np.zeros(greatest + 2)
    for at in range(len(rows)):
        if codes[rows[at]] >= 0:
            shares[codes[rows[at]]] += weights[at]
            whole += weights[at]
    return (shares / whole if whole > 0 else shares).astype(np.float32)


def _shortlist(
    view: View, question: Question, k: int, allowed: Mask, leaf: Vectors, brand: Vectors, middle: float | None
) -> Rows:
    """Allowed rows, rising, among them the `k` best of a taste but for what is far from the middle of the prices and
    wanted little. `leaf` and `brand` are shares by code."""
    if fewer_than(FEW, allowed):
        return np.flatnonzero(allowed)
    products, preferences = view.products, question.preferences
    famous = popular_board(view, question).first(FAMOUS)
    parts = [famous[allowed[famous]]]
    for code in _most(leaf):
        parts.append(products.leaf_by_price(code).near(middle, k, allowed, products.brand, brand))
    for code in _most(brand):
        parts.append(products.brand_by_price(code).near(middle, k, allowed, products.leaf, leaf))
    if preferences is not None:
        parts += _stated_near(view, preferences, k, allowed, leaf, brand, middle)
    rows = np.sort(np.concatenate(parts))
    return rows[np.flatnonzero(np.diff(rows, prepend=-1))]


def _stated_near(
    view: View, preferences: Preferences, k: int, allowed: Mask, leaf: Vectors, brand: Vectors, middle: float | None
) -> Iterator[Rows]:
    """Of each stated category and brand what is nearest in price; of a category also what is of a stated brand."""
    products = view.products
    named = np.zeros(len(products), np.bool_)
    for name in preferences.brands:
        named |= products.of_brand(name)
        yield products.named_brand_by_price(name).near(middle, k, allowed, products.leaf, leaf)
    for path in preferences.categories:
        order = products.category_by_price(path)
        yield order.near(middle, k, allowed, products.brand, brand)
        if preferences.brands:
            yield order.near(middle, k, allowed & named, products.brand, brand)


def _most(shares: Vectors) -> list[int]:
    """Codes of the greatest shares, greatest first."""
    liked = np.flatnonzero(shares)
    most: list[int] = liked[np.argsort(-shares[liked], kind="stable")][:MOST_LIKED].tolist()
    return most


@njit(cache=True, nogil=True)
def _fitting(considered, leaf, brand, leaf_share, brand_share, stated):  # type: ignore[no-untyped-def]
    """Considered rows of a positive taste, and it: the shares of their codes and what is `stated` of each (nothing:
    empty).

    No branch in the loops over all rows: a processor that guesses wrong at every fifth takes ten times as long.
    """
    last_leaf, last_brand = np.int32(len(leaf_share) - 1), np.int32(len(brand_share) - 1)
    taste, count = np.empty(len(considered), np.float32), 0
    for at in range(len(considered)):
        of, by = leaf[considered[at]], brand[considered[at]]
        value = leaf_share[of if 0 <= of < last_leaf else last_leaf]
        value += brand_share[by if 0 <= by < last_brand else last_brand]
        taste[at] = value
    if len(stated):
        for at in range(len(considered)):
            taste[at] += stated[at]
    for at in range(len(considered)):
        count += taste[at] > 0
    places, place = np.empty(count + 1, np.int64), 0  # one more, where what does not count is written
    for at in range(len(considered)):
        places[place] = at
        place += taste[at] > 0
    places = places[:count]
    return considered[places], taste[places]


def _states(preferences: Preferences | None) -> bool:
    return preferences is not None and bool(preferences.categories or preferences.brands)


def _stated(view: View, question: Question, rows: Rows) -> Vectors:
    """How well each of the rows fits what the visitor stated; empty where nothing is."""
    preferences = question.preferences
    if preferences is None or not _states(preferences):
        return np.empty(0, np.float32)
    products, liked = view.products, np.zeros(len(rows), np.float32)
    for path in preferences.categories:
        liked += CATEGORY_WEIGHT * STATED_WEIGHT * products.in_category(path)[rows]
    for brand in preferences.brands:
        liked += BRAND_WEIGHT * STATED_WEIGHT * products.of_brand(brand)[rows]
    return liked


def _middle(view: View, question: Question, seen: Rows) -> float | None:
    """Logarithm of the price to look around: the middle of the stated band, else of the prices seen; None: unknown."""
    preferences = question.preferences
    if preferences:
        bounds = [price for price in (preferences.price_min, preferences.price_max) if price]
        if bounds:
            return float(np.mean(np.log(bounds)))
    middle = _middle_log(view.products.price, seen)
    return None if np.isnan(middle) else float(middle)


@njit(cache=True, nogil=True)
def _middle_log(prices, seen):  # type: ignore[no-untyped-def]
    """Of the known prices of the rows that were seen; NaN when none is."""
    logs, count = np.empty(len(seen), np.float32), 0
    for row in seen:
        if prices[row] > 0:
            logs[count] = np.log(prices[row])
            count += 1
    if count == 0:
        return np.float32(np.nan)
    logs = np.sort(logs[:count])
    return (logs[count - count // 2 - 1] + logs[count // 2]) / np.float32(2.0)


def _prices(view: View, question: Question, seen: Rows) -> tuple[bool, np.float32, np.float32]:
    """Whether a band of prices is stated, and it; else the logarithm of the price to look around, twice (NaN: none)."""
    preferences = question.preferences
    if preferences and (preferences.price_min is not None or preferences.price_max is not None):
        high = np.inf if preferences.price_max is None else preferences.price_max
        return True, np.float32(preferences.price_min or 0.0), np.float32(high)
    middle = _middle(view, question, seen)
    around = np.float32(np.nan if middle is None else middle)
    return False, around, around


@njit(cache=True, nogil=True)
def _add_price_and_fame(scores, found, prices, stated, low, high, fame):  # type: ignore[no-untyped-def]
    """Adds, in place, how well the price of each row fits the stated band, else the price `low` is the logarithm of
    (0 … 1; unknown prices, which are NaN, fit nothing), and its fame."""
    for at in range(len(found)):
        price, fit = prices[found[at]], np.float32(0.0)
        if stated:
            fit = np.float32(1.0) if low <= price <= high else np.float32(0.0)
        elif price == price and low == low:
            fit = max(np.float32(1.0) - abs(np.log(max(price, TINY_PRICE)) - low), np.float32(0.0))
        scores[at] += np.float32(PRICE_WEIGHT) * fit
        scores[at] += np.float32(POPULAR_WEIGHT) * np.sqrt(fame[at])


@njit(cache=True, nogil=True)
def _all_but(allowed, seen):  # type: ignore[no-untyped-def]
    """The allowed rows, rising, without those that were seen. No branch in the loop, as in _fitting."""
    rows, count = np.empty(len(allowed) + 1, np.int64), 0
    for row in range(len(allowed)):
        rows[count] = row
        count += allowed[row]
    rows = rows[:count]
    for row in seen:
        place = np.searchsorted(rows, row)
        if place < len(rows) and rows[place] == row:
            rows = np.concatenate((rows[:place], rows[place + 1 :]))
    return rows
