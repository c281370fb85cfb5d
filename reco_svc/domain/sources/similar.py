"""Sources of content: `similar`, nearest products, and `unseen`, the nearest of those that nobody had yet."""

from __future__ import annotations

import numpy as np

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources.collaborative import fitting
from reco_svc.domain.sources.neighbours import reached
from reco_svc.domain.sources.selection import best, within
from reco_svc.domain.sources.summing import summed
from reco_svc.domain.top_k import top_places
from reco_svc.domain.view import View

PRICE_WEIGHT = 0.05  # what a price in the same band adds to a score, as a share of it
TINY_PRICE = np.float32(1e-6)
TINY_SCORE = 1e-12
MAX_SEEDS = 30
POWER = 3  # of the likeness: one product that is very like counts more than several that are a little
WARM = 30  # products that fit a history, whose likes are looked for among those that nobody had
FEW = 30  # fewer found by the graph than these: the vectors are searched too


class SimilarSource:
    """Nearest to the search query, else to the product on the page, else to all that was seen lately.

    Of several products the likenesses to the POWER are added, faded by how long ago each was seen. Products at a price
    close to the newest one's gain a little (a factor of e in price loses all of PRICE_WEIGHT).
    """

    name = "similar"
    reason = "similar_to"

    def __init__(self, *, price_weight: float = PRICE_WEIGHT) -> None:
        self._price_weight = np.float32(price_weight)

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        if question.query_vector is not None:
            rows, likeness = view.vectors.search(question.query_vector, k, allowed)
            return _ranked(view, rows, likeness, np.full(len(rows), -1, np.int64), k)
        seeds, weights = self._seeds(view, question)
        if not len(seeds):
            return Candidates.none()
        allowed = allowed.copy()
        allowed[seeds] = False
        rows, scores, evidence = _alike(view, seeds, weights, allowed)
        if len(rows) < min(k, FEW):
            return self._searched(view, seeds, weights, k, allowed)
        scores *= np.float32(1.0) + self._price_weight * _price_closeness(view, seeds, rows)
        return best(rows, scores, evidence, k, view.products)

    def _seeds(self, view: View, question: Question) -> tuple[Rows, Vectors]:
        if question.anchor >= 0 and view.vectors.vector(question.anchor) is not None:
            return np.array([question.anchor], np.int64), np.ones(1, np.float32)
        rows, weights = question.recent_with_history
        rows, weights = rows[-MAX_SEEDS:], weights[-MAX_SEEDS:]
        if view.snapshot is not None:
            weights = weights * view.snapshot.fading.weights(SimilarSource.name, question, len(rows))
        return rows, weights

    def _searched(self, view: View, seeds: Rows, weights: Vectors, k: int, allowed: Mask) -> Candidates:
        """By the vectors alone: where no graph was made, or a narrow filter leaves few of its neighbours."""
        if len(seeds) == 1:
            rows, likeness = view.vectors.search_row(int(seeds[0]), k, allowed)
        else:
            target = weights @ view.vectors.matrix(seeds)
            norm = float(np.linalg.norm(target))
            if norm == 0:
                return Candidates.none()
            rows, likeness = view.vectors.search((target / norm).astype(np.float32), k, allowed)
        likeness = likeness * (np.float32(1.0) + self._price_weight * _price_closeness(view, seeds, rows))
        return _ranked(view, rows, likeness, _nearest_seed(view, seeds, rows), k)


class UnseenSource(SimilarSource):
    """The nearest of the products that nobody had yet: content is all there is to go by, and they must be found.

    To the likeness to what was seen comes, times `Snapshot.spread`, likeness to what those with such a history go on
    to: a product nobody had is wanted by those who want its like.
    """

    name = "unseen"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        unseen = allowed > view.popularity.wanted(len(view.products))
        if not unseen.any():
            return Candidates.none()
        own = super().propose(view, question, k, unseen)
        if view.snapshot is None or view.snapshot.spread <= 0 or question.query_vector is not None:
            return own
        passed = _passed_on(view.snapshot, question, unseen)
        return _added(own, passed, view.snapshot.spread, k, view)


def _passed_on(snapshot: Snapshot, question: Question, allowed: Mask) -> Candidates:
    """Allowed rows like the WARM products that fit the question best, in no order, with the seen row behind each."""
    rows, weights = question.recent_with_history
    weights = weights * snapshot.fading.weights("collaborative", question, len(rows))
    warm, fit, givers = fitting(snapshot.collaborative, rows, weights)
    if len(warm) > WARM:
        best_fit = top_places(fit, np.arange(len(warm)), WARM, warm)
        warm, fit, givers = warm[best_fit], fit[best_fit], givers[best_fit]
    if not len(warm):
        return Candidates.none()
    found, scores, through = reached(snapshot.alike, warm, fit / fit.max(), POWER)
    usable = within(found, allowed)
    by_row = np.argsort(warm)
    behind = givers[by_row[np.searchsorted(warm, through[usable], sorter=by_row)]]
    return Candidates(found[usable], scores[usable], behind)


def _added(own: Candidates, passed: Candidates, share: float, k: int, view: View) -> Candidates:
    """The best of the sum, each brought to a greatest score of 1, `passed` times the share."""
    if not len(passed.rows):
        return own
    scaled = own._replace(scores=own.scores / max(float(own.scores.max(initial=0.0)), TINY_SCORE))
    return best(*summed(scaled, passed, share / max(float(passed.scores.max()), TINY_SCORE)), k, view.products)


def _alike(view: View, seeds: Rows, weights: Vectors, allowed: Mask) -> tuple[Rows, Vectors, Rows]:
    """Allowed rows like the seeds, their scores and likest seed: by the graph, and by vectors what came later."""
    none = np.empty(0, np.int64)
    if view.snapshot is None or not len(view.snapshot.alike.rows):
        return none, np.empty(0, np.float32), none
    rows, scores, evidence = reached(view.snapshot.alike, seeds, weights, POWER)
    usable = within(rows, allowed)
    late = view.vectors.late
    if not len(late):
        return rows[usable], scores[usable], evidence[usable]
    usable &= ~np.isin(rows, late)
    fresh = late[within(late, allowed)]
    likeness = np.maximum(view.vectors.matrix(fresh) @ view.vectors.matrix(seeds).T, 0.0) ** POWER * weights
    return (
        np.concatenate([rows[usable], fresh]),
        np.concatenate([scores[usable], likeness.sum(1)]),
        np.concatenate([evidence[usable], seeds[likeness.argmax(1)] if len(fresh) else none]),
    )


def _ranked(view: View, rows: Rows, likeness: Vectors, evidence: Rows, k: int) -> Candidates:
    keep = likeness > 0
    return best(rows[keep], likeness[keep], evidence[keep], k, view.products)


def _nearest_seed(view: View, seeds: Rows, rows: Rows) -> Rows:
    if len(seeds) == 1 or not len(rows):
        return np.full(len(rows), seeds[0], np.int64)
    nearest: Rows = seeds[np.argmax(view.vectors.products(rows, seeds), axis=1)]
    return nearest


def _price_closeness(view: View, seeds: Rows, rows: Rows) -> Vectors:
    """1 at the price of the newest seed, 0 at a factor of e from it and where a price is unknown; (rows,)."""
    prices = view.products.price
    own = prices[seeds[-1]]
    if not len(rows) or not own > 0:
        return np.zeros(len(rows), np.float32)
    distance = np.abs(np.log(np.maximum(prices[rows], TINY_PRICE) / own))
    closeness: Vectors = np.fmax(1.0 - distance, 0.0)  # an unknown price is close to none
    return closeness
