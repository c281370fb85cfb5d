"""A ranking of the whole catalog, made once and read many times."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np

from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.top_k import top_k

if TYPE_CHECKING:
    from reco_svc.domain.product_table import ProductTable

DEPTH = 20_000  # places kept; who needs more ranks the catalog anew


class Leaderboard:
    """The best rows by a score for each row, best first, ties by product id; only scores above 0 have a place."""

    def __init__(self, scores: Vectors, products: ProductTable) -> None:
        self._all, self._ranked = scores, np.flatnonzero(scores > 0)
        ranked = self._ranked
        self._complete = len(ranked) <= DEPTH
        self._rows = ranked[top_k(scores[ranked], ranked, DEPTH, products)]
        self._scores = scores[self._rows].astype(np.float32)

    def best(self, k: int, allowed: Mask, products: ProductTable) -> tuple[Rows, Vectors]:
        """The `k` best allowed rows and their scores."""
        end = 4 * k
        while True:
            found = np.flatnonzero(allowed[self._rows[:end]])[:k]
            if len(found) == k or (end >= len(self._rows) and self._complete):
                return self._rows[found], self._scores[found]
            if end >= len(self._rows):
                return self._deeper(k, allowed, products)
            end *= 8

    def first(self, k: int) -> Rows:
        """The `k` best rows of all, k up to DEPTH."""
        return self._rows[:k]

    def _deeper(self, k: int, allowed: Mask, products: ProductTable) -> tuple[Rows, Vectors]:
        rows = self._ranked[allowed[self._ranked]]
        rows = rows[top_k(self._all[rows], rows, k, products)]
        return rows, self._all[rows].astype(np.float32)


class LeaderboardCache:
    """The last leaderboard of each name, as long as what it was made from is the same."""

    def __init__(self) -> None:
        self._boards: dict[str, tuple[Hashable, Leaderboard]] = {}

    def get(self, name: str, made_from: Hashable, products: ProductTable, scores: Callable[[], Vectors]) -> Leaderboard:
        """The leaderboard of a name; `scores()`, shape (len(products),), is asked when `made_from` is news."""
        known = self._boards.get(name)
        if known is None or known[0] != made_from:
            known = self._boards[name] = (made_from, Leaderboard(scores(), products))
        return known[1]
