"""Vectors of all rows: those of the snapshot behind an index, those that came later scanned exactly."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import numpy as np

from reco_svc.domain.deep_search import DeepSearch
from reco_svc.domain.inner_products import inner_products
from reco_svc.domain.ports import Mask, Rows, VectorIndex, Vectors
from reco_svc.domain.rows import fewer_than

SCANNED = 2_000  # so few allowed rows are compared one by one: cheaper than any index, and exact
FEW_VECTORS = 8  # so many are compared with rows of half precision one by one: quicker than to copy the rows
KEPT_ROWS = 20_000  # products whose nearest are remembered, at about 3.5 kB each


class VectorSpace:
    """Nearest neighbours over all rows that have a vector.

    `base` is (n, dim), float32 or float16, L2-normalised or zero rows, possibly memory-mapped; `index` searches it
    (None: exact). A row set later hides its base vector. Not thread-safe.
    """

    def __init__(self, base: Vectors, index: VectorIndex | None) -> None:
        self._base = base
        self._index = index
        self._hidden = np.zeros(len(base), bool)
        self._any_hidden = False
        self._late: dict[int, tuple[Vectors, bool]] = {}
        self._late_rows: Rows = np.empty(0, np.int64)
        self._late_matrix: Vectors = np.empty((0, self.dim), np.float32)
        self._nearest: OrderedDict[int, tuple[int, Rows, Vectors]] = OrderedDict()
        self._last: DeepSearch | None = None

    @classmethod
    def empty(cls, dim: int = 384) -> VectorSpace:
        """A space without vectors."""
        return cls(np.empty((0, dim), np.float32), None)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._base.shape[1])

    def stats(self) -> dict[str, int]:
        """Counts of indexed, later and approximate vectors."""
        approximate = sum(a for _, a in self._late.values())
        return {
            "indexed": int(len(self._base) - self._hidden.sum()),
            "late": len(self._late),
            "approximate": approximate,
        }

    @property
    def late(self) -> Rows:
        """Rows whose vector was set later, in the order of their setting."""
        return np.fromiter(self._late, np.int64, len(self._late))

    def vector(self, row: int) -> Vectors | None:
        """The vector of a row, (dim,), or None."""
        if row in self._late:
            return self._late[row][0]
        if 0 <= row < len(self._base) and not self._hidden[row]:
            found = np.asarray(self._base[row], np.float32)
            return found if found.any() else None
        return None

    def matrix(self, rows: Rows) -> Vectors:
        """(len(rows), dim); zeros where a row has no vector."""
        if self._plain(rows):
            return np.asarray(self._base.take(rows, 0), np.float32)
        out = np.zeros((len(rows), self.dim), np.float32)
        based = (rows >= 0) & (rows < len(self._base))
        based[based] &= ~self._hidden[rows[based]]
        out[based] = self._base[rows[based]]
        if self._late:
            for at, row in enumerate(rows.tolist()):
                if row in self._late:
                    out[at] = self._late[row][0]
        return out

    def products(self, rows: Rows, others: Rows) -> Vectors:
        """(len(rows), len(others)): the inner products of their vectors."""
        if len(others) <= FEW_VECTORS and self._base.dtype == np.float16 and self._plain(rows):
            return np.stack([inner_products(self._base, rows, one) for one in self.matrix(others)], axis=1)
        return self.matrix(rows) @ self.matrix(others).T

    def set(self, row: int, vector: Vectors, *, approximate: bool = False) -> None:
        """Gives a row its vector; `approximate` ones are stand-ins until the true one arrives."""
        self._late[row] = (np.asarray(vector, np.float32), approximate)
        self._nearest.pop(row, None)
        self._hide(row)
        self._late_rows, self._last = np.empty(0, np.int64), None

    def drop(self, row: int) -> None:
        """The row has no vector any more."""
        self._late.pop(row, None)
        self._nearest.pop(row, None)
        self._hide(row)
        self._late_rows, self._last = np.empty(0, np.int64), None

    def search(self, vector: Vectors, k: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """Rows and similarities, best first, ties by row, among rows where `allowed` is true. `allowed` may lose rows
        later, but never gain any."""
        return self._with_late(*self._search_base(vector, k, allowed), vector, k, allowed)

    def search_row(self, row: int, k: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """The same for the vector of a row; empty if it has none. The nearest of a row are remembered, of use where
        `allowed` leaves most of them."""
        vector = self.vector(row)
        if vector is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if fewer_than(len(allowed) // 2, allowed):
            return self.search(vector, k, allowed)
        depth, rows, similarities = self._nearest_of(row, vector, k)
        inside = rows < len(allowed)
        inside[inside] = allowed[rows[inside]] & ~self._hidden[rows[inside]]
        keep = np.flatnonzero(inside)[:k]
        if len(keep) < k and len(rows) == depth:
            return self.search(vector, k, allowed)
        return self._with_late(rows[keep], similarities[keep], vector, k, allowed)

    def _nearest_of(self, row: int, vector: Vectors, k: int) -> tuple[int, Rows, Vectors]:
        """A depth of at least 2·k and so many nearest rows of the base, hidden ones included; fewer when there are no
        more."""
        known = self._nearest.get(row)
        if known is None or known[0] < 2 * k:
            depth = max(2 * k, 256)
            search = self._index.search if self._index else partial(exact_search, self._base)
            rows, similarities = search(vector, depth, None)
            known = self._nearest[row] = (depth, rows, similarities)
            if len(self._nearest) > KEPT_ROWS:
                self._nearest.popitem(last=False)
        self._nearest.move_to_end(row)
        return known

    def _with_late(
        self, rows: Rows, similarities: Vectors, vector: Vectors, k: int, allowed: Mask
    ) -> tuple[Rows, Vectors]:
        if self._late:
            late_rows, late_similarities = self._search_late(vector, allowed)
            rows = np.concatenate([rows, late_rows])
            similarities = np.concatenate([similarities, late_similarities])
        order = np.lexsort((rows, -similarities))[:k]
        return rows[order], similarities[order]

    def _search_base(self, vector: Vectors, k: int, allowed: Mask) -> tuple[Rows, Vectors]:
        size = len(self._base)
        mask = allowed[:size]
        if len(mask) < size:
            mask = np.concatenate([mask, np.zeros(size - len(mask), bool)])
        if self._any_hidden:
            mask = mask > self._hidden
        if self._index is None:
            return exact_search(self._base, vector, k, mask)
        asked = vector.tobytes()
        known = self._last.among(asked, k, mask) if self._last else None
        if known is None:
            few = fewer_than(SCANNED + 1, mask)
            search = partial(exact_search, self._base) if few else self._index.search
            rows, similarities = search(vector, 2 * k, mask)
            self._last = DeepSearch(asked, mask, rows, similarities, complete=len(rows) < 2 * k)
            known = rows[:k], similarities[:k]
        return known

    def _search_late(self, vector: Vectors, allowed: Mask) -> tuple[Rows, Vectors]:
        if len(self._late_rows) != len(self._late):
            self._late_rows = np.fromiter(self._late, np.int64, len(self._late))
            self._late_matrix = np.stack([v for v, _ in self._late.values()])
        inside = self._late_rows < len(allowed)
        inside[inside] = allowed[self._late_rows[inside]]
        return self._late_rows[inside], self._late_matrix[inside] @ vector

    def _plain(self, rows: Rows) -> bool:
        """Whether all of the rows have their vector in the base."""
        if self._any_hidden or self._late or not len(rows):
            return False
        return bool(rows.view(np.uint64).max() < len(self._base))  # read so, a row below 0 is above all

    def _hide(self, row: int) -> None:
        if row < len(self._hidden):
            self._hidden[row] = self._any_hidden = True


def exact_search(base: Vectors, vector: Vectors, k: int, mask: Mask | None) -> tuple[Rows, Vectors]:
    """The reference: inner products of all allowed rows (None: every one), best first, ties by row."""
    rows = np.arange(len(base)) if mask is None else np.flatnonzero(mask)
    similarities = inner_products(base, rows, vector)
    if len(rows) > k:
        kept = np.argpartition(-similarities, k - 1)[:k]
        rows, similarities = rows[kept], similarities[kept]
    order = np.lexsort((rows, -similarities))
    return rows[order], similarities[order]
