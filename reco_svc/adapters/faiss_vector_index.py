"""Nearest neighbours with FAISS (Douze et al., "The Faiss library", 2024): exact, for shops that need no more.

Cells of FAISS (inverted files of vectors of 8 bits a number) that earlier releases made are read on. Single queries run
on one thread: at 10,000 products the second one that FAISS starts for them made one cost 7.5 ms instead of 0.5.
"""

from __future__ import annotations

import math
from pathlib import Path

import faiss
import numpy as np

from reco_svc.domain.ports import Mask, Rows, Vectors

MOST_CELLS = 1024  # read under a filter that leaves little
FEWER = 0.8  # power of the share that a filter leaves: so many times fewer cells are read


class FaissVectorIndex:
    """See `domain.ports.VectorIndex`. `size` is the number of rows it was built over."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._in_cells = isinstance(index, faiss.IndexIVF)
        lists = faiss.downcast_InvertedLists(index.invlists) if self._in_cells else None
        if isinstance(lists, faiss.OnDiskInvertedLists):
            lists.prefetch_nthread = 0  # threads for every query, to read what is in memory: two thirds of its time

    @classmethod
    def exact(cls, vectors: Vectors) -> FaissVectorIndex:
        """The index of (n, dim) normalised vectors that compares all of them."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> FaissVectorIndex:
        """From a file; OSError if it is none."""
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP))
        except RuntimeError as error:
            raise OSError(f"{path.name} is no index: {error}") from None

    def save(self, path: Path) -> None:
        """To a file."""
        faiss.write_index(self._index, str(path))

    @property
    def size(self) -> int:
        """Rows."""
        return int(self._index.ntotal)

    def search(self, vector: Vectors, k: int, allowed: Mask | None) -> tuple[Rows, Vectors]:
        """See the port."""
        query = np.ascontiguousarray(vector[None], np.float32)
        count, selector = self.size, None
        if allowed is not None:
            count = int(np.count_nonzero(allowed))
            if count < self.size:
                selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        k = min(k, count)
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        faiss.omp_set_num_threads(1)  # of this thread
        similarities, rows = self._index.search(query, k, params=self._parameters(selector, count / self.size))
        found = rows[0] >= 0
        rows, similarities = rows[0][found], similarities[0][found]
        order = np.lexsort((rows, -similarities))
        return rows[order].astype(np.int64), similarities[order].astype(np.float32)

    def _parameters(self, selector: faiss.IDSelector | None, share: float) -> faiss.SearchParameters | None:
        if selector is None:
            return None
        if not self._in_cells:
            return faiss.SearchParameters(sel=selector)
        read = min(MOST_CELLS, math.ceil(self._index.nprobe / share**FEWER))
        return faiss.SearchParametersIVF(sel=selector, nprobe=max(self._index.nprobe, read))
