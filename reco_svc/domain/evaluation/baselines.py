"""Textbook rivals, without any tuning: what a shop would get from a few lines of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.ports import Mask, Rows, Vectors

POPULARITY, ITEM_KNN = "baseline: popularity", "baseline: item-kNN"
POPULAR_HALF_LIFE_S = 7 * 86_400.0
NEIGHBOURS = 1_000
SHRINKAGE = 10.0


class Baseline(Protocol):
    """Scores products for a history."""

    def scores(self, history: Rows) -> Vectors:
        """(n,) for distinct rows, oldest first; greater is better, 0 says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Popularity:
    """Events of the last weeks, each counting half for every week of age; the history does not matter."""

    popular: Vectors

    def scores(self, history: Rows) -> Vectors:
        """See Baseline."""
        return self.popular

    @classmethod
    def of(cls, events: LearningEvents, n: int) -> Popularity:
        """Of wanted events over n rows."""
        wanted = events.wanted
        if not len(wanted):
            return cls(np.zeros(n, np.float32))
        ages = (wanted.at_s.max() - wanted.at_s) / POPULAR_HALF_LIFE_S
        return cls(np.bincount(wanted.row, 0.5**ages, minlength=n).astype(np.float32))


@dataclass(frozen=True, slots=True)
class ItemKnn:
    """Cosine item-kNN (Sarwar et al., WWW 2001) over sessions, shrunk on little support (Bell and Koren 2007).

    `weights` (n, n) has the NEIGHBOURS nearest of each row, columns over the root of their sums so that what is near to
    everything does not win everywhere (Deshpande and Karypis 2004). A score is the sum over the history, its products
    weighing less by the root of how long ago they came.
    """

    weights: sparse.csr_matrix
    popular: Popularity

    def scores(self, history: Rows) -> Vectors:
        """See Baseline; what nothing speaks for comes last, by popularity."""
        decay = 1.0 / np.sqrt(np.arange(len(history), 0, -1))
        found = np.asarray(self.weights[history].T @ decay, np.float32).ravel()
        most = float(self.popular.popular.max(initial=0.0))
        least = float(found[found > 0].min(initial=1.0))
        filler = self.popular.popular * np.float32(0.5 * least / most) if most > 0 else 0.0
        return np.where(found > 0, found, filler).astype(np.float32)

    @classmethod
    def of(cls, events: LearningEvents, n: int) -> ItemKnn:
        """Of wanted events over n rows: a session has a product or not."""
        popular, wanted = Popularity.of(events, n), events.wanted
        if not len(wanted):
            return cls(sparse.csr_matrix((n, n), dtype=np.float32), popular)
        pairs = np.unique(wanted.session * n + wanted.row)
        session, row = pairs // n, pairs % n
        had = sparse.csr_matrix((np.ones(len(pairs), np.float32), (session, row)), shape=(int(session.max()) + 1, n))
        return cls(_cosine(had), popular)


def baselines(events: LearningEvents, n: int) -> Mapping[str, Baseline]:
    """Both, learned from events over n rows."""
    return {POPULARITY: Popularity.of(events, n), ITEM_KNN: ItemKnn.of(events, n)}


def ranked(scores: Vectors, forbidden: Sequence[int], allowed: Mask, length: int) -> Rows:
    """The best `length` allowed rows with a positive score, ties by row."""
    usable = np.where(allowed, scores, 0.0)
    usable[list(forbidden)] = 0.0
    found = np.flatnonzero(usable > 0)
    if len(found) > length:
        least = np.partition(usable[found], len(found) - length)[len(found) - length]
        found = found[usable[found] >= least]
    best: Rows = found[np.argsort(-usable[found], kind="stable")[:length]]
    return best


def _cosine(had: sparse.csr_matrix) -> sparse.csr_matrix:
    """(n, n) cosine of columns, the NEIGHBOURS greatest of each row, nothing on the diagonal, columns damped."""
    common = (had.T @ had).tocsr()
    support = common.diagonal()
    root = np.sqrt(np.maximum(support, 1.0)).astype(np.float32)
    common.setdiag(0.0)
    common.eliminate_zeros()
    rows = np.repeat(np.arange(common.shape[0]), np.diff(common.indptr))
    shrunk = common.data / (common.data + np.float32(SHRINKAGE))
    common.data = (common.data / root[rows] / root[common.indices] * shrunk).astype(np.float32)
    kept = np.ones(len(common.data), np.bool_)
    for row in np.flatnonzero(np.diff(common.indptr) > NEIGHBOURS).tolist():
        stretch = slice(common.indptr[row], common.indptr[row + 1])
        worst = np.argpartition(-common.data[stretch], NEIGHBOURS)[NEIGHBOURS:]
        kept[stretch.start + worst] = False
    common.data[~kept] = 0.0
    common.eliminate_zeros()
    near = np.maximum(np.asarray(common.sum(0)).ravel(), 1e-6) ** -0.5
    common.data *= near[common.indices].astype(np.float32)
    return common
