"""Nearest neighbours in a large shop: vectors in cells, short codes in them, the best compared with the vectors again.

A cell holds the vectors nearest to its centre (inverted file; Jégou, Douze and Schmid, PAMI 2011). Of each vector its
parts along the leading directions of all vectors are kept, one byte each. Cells are read in order of their nearness to
the query until `compared` allowed vectors were found there, fewer where a filter leaves a share of the rows: not a
number of cells, since those near a query may hold nothing that is allowed. The best by their codes are put in order by
the vectors themselves. A row that is not allowed costs one bit test.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reco_svc.adapters.cell_kernels import nearest_places, places_in, products
from reco_svc.domain.inner_products import inner_products
from reco_svc.domain.ports import Mask, Rows, Vectors

PREFIX = "cells"
COMPARED_AGAIN = 200  # at least so many of the best by code are compared by their vectors
BY_ROW = 5_000  # so few allowed rows are looked up one by one
FEWER = 0.4  # power of the share that a filter leaves, of the vectors that are compared
WIDER = 4  # times as many cells are put in order as would do if allowed rows lay everywhere alike
_ALL = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Cells:
    """c cells of n vectors of `dim` numbers, of which d directions are kept.

    `directions` (d, dim) float32; `centres` (c, d) float32; `ptr` (c + 1,) int64: where cells begin; `rows` (n,) int32:
    the row at each place, rising in a cell; `codes` (n, d) int8 by place, times `scale` (d,) float32 the parts of a
    vector; `compared` (1,) int64: vectors to compare without a filter.
    """

    directions: Vectors
    centres: Vectors
    ptr: Rows
    rows: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int8]
    scale: Vectors
    compared: Rows


class CellVectorIndex:
    """See `domain.ports.VectorIndex`. `vectors` are those of the snapshot, (n, dim), float32 or float16."""

    def __init__(self, cells: Cells, vectors: Vectors) -> None:
        self._cells, self._vectors = cells, vectors
        self._place = np.empty(len(cells.rows), np.int32)
        self._place[cells.rows] = np.arange(len(cells.rows), dtype=np.int32)

    @classmethod
    def load(cls, folder: Path, vectors: Vectors) -> CellVectorIndex | None:
        """From a folder, memory-mapped; None if it has none, OSError or ValueError if it has parts of one."""
        if not (folder / f"{PREFIX}.codes.npy").exists():
            return None
        arrays = (np.load(folder / f"{PREFIX}.{field.name}.npy", mmap_mode="r") for field in fields(Cells))
        cells = Cells(*(np.asarray(array) for array in arrays))
        shapes = (cells.rows.shape, cells.codes.shape[:1], cells.directions.shape, cells.centres.shape[1:])
        n, kept = cells.codes.shape
        if shapes != ((n,), (n,), (kept, vectors.shape[1]), (kept,)) or len(cells.ptr) != len(cells.centres) + 1:
            raise ValueError(f"{PREFIX} of shapes that do not fit together")
        return cls(cells, vectors)

    def save(self, folder: Path) -> None:
        """To files of a folder."""
        for field in fields(Cells):
            np.save(folder / f"{PREFIX}.{field.name}.npy", getattr(self._cells, field.name))

    @property
    def size(self) -> int:
        """Rows."""
        return len(self._cells.rows)

    def search(self, vector: Vectors, k: int, allowed: Mask | None) -> tuple[Rows, Vectors]:
        """See the port."""
        cells = self._cells
        query = products(cells.directions, np.ascontiguousarray(vector, np.float32))
        places = self._candidates(query, allowed)
        best, _ = nearest_places(cells.codes, places, query * cells.scale, max(k, COMPARED_AGAIN))
        rows = cells.rows[best].astype(np.int64)
        similarities = inner_products(self._vectors, rows, vector)
        order = np.lexsort((rows, -similarities))[:k]
        return rows[order], similarities[order]

    def _candidates(self, query: Vectors, allowed: Mask | None) -> npt.NDArray[np.int32]:
        """Places of the vectors to compare."""
        count = self.size if allowed is None else int(np.count_nonzero(allowed))
        if allowed is not None and count <= min(BY_ROW, self.size - 1):
            return self._place[np.flatnonzero(allowed)]
        bits = _ALL if allowed is None or count == self.size else np.packbits(allowed, bitorder="little")
        cells = self._cells
        enough = min(count, int(cells.compared[0] * (count / self.size) ** FEWER))
        near, total = products(cells.centres, query), len(cells.centres)
        wide = 1 + WIDER * total * enough // max(1, count)
        places: npt.NDArray[np.int32] = places_in(_greatest(near, wide), cells.ptr, cells.rows, bits, enough)
        if len(places) < enough and wide < total:
            places = places_in(_greatest(near, total), cells.ptr, cells.rows, bits, enough)
        return places


def _greatest(scores: Vectors, count: int) -> Rows:
    """Positions of the `count` greatest, greatest first."""
    if count >= len(scores):
        return np.argsort(-scores, kind="stable")
    best = np.argpartition(-scores, count - 1)[:count]
    return best[np.argsort(-scores[best], kind="stable")]
