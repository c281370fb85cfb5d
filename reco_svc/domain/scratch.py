"""Arrays by row that kernels write on and leave clean: to make them anew would cost more than a question, and the more
the larger the shop is."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from reco_svc.domain.ports import Vectors


class RowScratch(threading.local):
    """A set for each thread, at least as long as was asked. Whoever uses `sums` or `places` leaves zeros behind."""

    def __init__(self) -> None:
        self._make(0)
        self._places = np.zeros(0, np.int32)

    def sums(self, rows: int) -> tuple[Vectors, Vectors, npt.NDArray[np.int64]]:
        """A sum, a greatest part (both 0) and the row that gave it (anything) for each row."""
        if len(self._total) < rows:
            self._make(rows)
        return self._total, self._most, self._giver

    def places(self, rows: int) -> npt.NDArray[np.int32]:
        """0 for each row: for where a row stands in something."""
        if len(self._places) < rows:
            self._places = np.zeros(2 * rows, np.int32)
        return self._places

    def _make(self, rows: int) -> None:
        self._total, self._most = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
        self._giver = np.zeros(rows, np.int64)


scratch = RowScratch()
