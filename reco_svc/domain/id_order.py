"""The rank of each row in the order of product ids, kept while rows are appended: the tie-break of every ranking."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from reco_svc.domain.ports import Rows


class IdOrder:
    """Rows in order of their ids. New rows are merged in when the order is next asked for."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: Rows = np.empty(0, np.int64)
        self._rank: Rows = np.empty(0, np.int64)

    def rank(self, ids: Sequence[str]) -> Rows:
        """Shape (rows,): the place of each row when rows are sorted by id. `ids` is in row order and only grows."""
        if len(ids) != len(self._rank):
            self._merge(ids)
        return self._rank

    def rows(self, ids: Sequence[str]) -> Rows:
        """Every row, in order of the ids."""
        self.rank(ids)
        return self._rows

    def _merge(self, ids: Sequence[str]) -> None:
        known = len(self._rank)
        late = sorted(range(known, len(ids)), key=ids.__getitem__)
        places = [bisect_left(self._ids, ids[row]) for row in late] if known else [0] * len(late)
        self._rows = np.insert(self._rows, places, late)
        self._ids.extend(ids[row] for row in late)
        self._ids.sort()  # two sorted runs: close to linear
        self._rank = np.empty(len(ids), np.int64)
        self._rank[self._rows] = np.arange(len(ids))
