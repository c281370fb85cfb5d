"""Nearest neighbours with FAISS (Douze et al., "The Faiss library", 2024): exact while small, then compressed in cells.

Up to EXACT_UP_TO products inner products are computed exactly. Above, vectors of 8 bits a number lie in cells around
2·√n centres (inverted file; Jégou, Douze and Schmid, PAMI 2011) and the cells nearest to a query are read: so many as
found MIN_RECALL of the exact nearest when the index was built, and 1/share^0.8 times as many where a filter leaves a
share of the rows. A row that is not allowed costs one bit test, so narrow filters stay cheap; a graph index has no such
way out. If reading MOST_CELLS does not find enough, the exact index is kept.
"""

from __future__ import annotations

import math
from pathlib import Path

import faiss
import numpy as np
import structlog

from reco_svc.domain.ports import Mask, Rows, Vectors

log = structlog.get_logger()
EXACT_UP_TO = 10_000
MIN_RECALL = 0.97
SAMPLE, SAMPLE_BLOCK = 200, 50_000
TRAINED_ON, ROUNDS = 40, 8  # vectors for each centre, rounds of k-means
CELLS_READ, MOST_CELLS = (8, 16, 32, 64, 128), 1024
FEWER = 0.8  # power of the share that a filter leaves: it may lie far from the query
SEED = 1


class FaissVectorIndex:
    """See `domain.ports.VectorIndex`. `size` is the number of rows it was built over."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._in_cells = isinstance(index, faiss.IndexIVF)

    @classmethod
    def build(cls, vectors: Vectors) -> tuple[FaissVectorIndex, float]:
        """The index of (n, dim) normalised vectors and its measured recall@10 (1.0 for an exact one)."""
        faiss.omp_set_num_threads(2)
        if len(vectors) <= EXACT_UP_TO:
            return cls(_exact(vectors)), 1.0
        cells = _in_cells(vectors)
        sample = np.ascontiguousarray(vectors[np.linspace(0, len(vectors) - 1, SAMPLE).astype(np.int64)], np.float32)
        wanted, recall = _nearest_ten(vectors, sample), 0.0
        for cells.nprobe in CELLS_READ:
            recall = _recall(cells.search(sample, 10)[1], wanted)
            if recall >= MIN_RECALL:
                log.info("index_built", kind="ivf_sq8", cells=cells.nlist, read=cells.nprobe, recall=round(recall, 3))
                return cls(cells), recall
        log.warning("index_built", kind="exact", why=f"cells reached recall {recall:.3f} only")
        return cls(_exact(vectors)), 1.0

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


def _exact(vectors: Vectors) -> faiss.Index:
    exact = faiss.IndexFlatIP(vectors.shape[1])
    exact.add(np.ascontiguousarray(vectors, np.float32))
    return exact


def _in_cells(vectors: Vectors) -> faiss.IndexIVF:
    n, dim = vectors.shape
    cells = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim),
        dim,
        int(2 * math.sqrt(n)),
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    cells.cp.niter, cells.cp.max_points_per_centroid, cells.cp.seed = ROUNDS, TRAINED_ON, SEED
    some = np.random.default_rng(SEED).permutation(n)[: TRAINED_ON * cells.nlist]
    cells.train(np.ascontiguousarray(vectors[np.sort(some)], np.float32))
    for begin in range(0, n, SAMPLE_BLOCK):
        cells.add(np.ascontiguousarray(vectors[begin : begin + SAMPLE_BLOCK], np.float32))
    return cells


def _nearest_ten(vectors: Vectors, sample: Vectors) -> Rows:
    """(len(sample), 10) exact nearest rows, in no order."""
    similarities = np.empty((len(sample), 0), np.float32)
    rows = np.empty((len(sample), 0), np.int64)
    for begin in range(0, len(vectors), SAMPLE_BLOCK):
        block = sample @ np.asarray(vectors[begin : begin + SAMPLE_BLOCK], np.float32).T
        numbers = np.broadcast_to(np.arange(begin, begin + block.shape[1]), block.shape)
        similarities, rows = np.hstack([similarities, block]), np.hstack([rows, numbers])
        best = np.argpartition(-similarities, 9, axis=1)[:, :10]
        similarities, rows = np.take_along_axis(similarities, best, 1), np.take_along_axis(rows, best, 1)
    return rows


def _recall(found: Rows, wanted: Rows) -> float:
    hits = sum(len(set(f) & set(w)) for f, w in zip(found.tolist(), wanted.tolist(), strict=True))
    return float(hits / wanted.size)
