"""Which index a shop gets, and how cells are made: directions, centres (k-means of FAISS), codes, how far to read."""

from __future__ import annotations

import math
from dataclasses import replace

import faiss
import numpy as np
import numpy.typing as npt
import structlog

from reco_svc.adapters.cell_vector_index import Cells, CellVectorIndex
from reco_svc.adapters.faiss_vector_index import FaissVectorIndex
from reco_svc.domain.ports import Rows, Vectors

log = structlog.get_logger()
EXACT_UP_TO = 10_000
MIN_RECALL = 0.97
SAMPLE, BLOCK = 200, 50_000
DIRECTIONS = 128  # of 384: 88 % of the length of the vectors, a third of what is to be read
CELLS = 4  # times the root of the products
TRAINED_ON, ROUNDS = 20, 6  # vectors for each centre, rounds of k-means
COMPARED = (1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 16_000, 24_000, 48_000)
SEED = 1
THREADS = 2


def build_index(vectors: Vectors) -> tuple[FaissVectorIndex | CellVectorIndex, float]:
    """The index of (n, dim) normalised vectors and its measured recall@10 (1.0 for an exact one).

    Exact up to EXACT_UP_TO products, and above where comparing the most of COMPARED finds too little.
    """
    if len(vectors) <= EXACT_UP_TO:
        return FaissVectorIndex.exact(vectors), 1.0
    faiss.omp_set_num_threads(THREADS)
    cells = _cells(vectors)
    sample = np.ascontiguousarray(vectors[np.linspace(0, len(vectors) - 1, SAMPLE).astype(np.int64)], np.float32)
    wanted, recall = _nearest_ten(vectors, sample), 0.0
    for compared in COMPARED:
        index = CellVectorIndex(replace(cells, compared=np.array([compared], np.int64)), vectors)
        recall = _recall([index.search(one, 10, None)[0] for one in sample], wanted)
        if recall >= MIN_RECALL:
            log.info("index_built", kind="cells", cells=len(cells.centres), compared=compared, recall=round(recall, 3))
            return index, recall
    log.warning("index_built", kind="exact", why=f"cells reached recall {recall:.3f} only")
    return FaissVectorIndex.exact(vectors), 1.0


def _cells(vectors: Vectors) -> Cells:
    n = len(vectors)
    count = int(CELLS * math.sqrt(n))
    some = np.random.default_rng(SEED).permutation(n)[: TRAINED_ON * count]
    sample = np.ascontiguousarray(vectors[np.sort(some)], np.float32)
    directions = _leading(sample)
    sample = sample @ directions.T
    scale = np.maximum(np.abs(sample).max(0), 1e-12).astype(np.float32) / np.float32(127)
    means = faiss.Kmeans(
        sample.shape[1],
        count,
        niter=ROUNDS,
        seed=SEED,
        spherical=True,
        max_points_per_centroid=TRAINED_ON,
        min_points_per_centroid=1,
    )
    means.train(sample)
    cell, codes = np.empty(n, np.int64), np.empty((n, len(directions)), np.int8)
    for begin in range(0, n, BLOCK):
        block = np.asarray(vectors[begin : begin + BLOCK], np.float32) @ directions.T
        cell[begin : begin + BLOCK] = means.index.search(block, 1)[1][:, 0]
        codes[begin : begin + BLOCK] = _coded(block, scale)
    rows = np.argsort(cell, kind="stable").astype(np.int32)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=count))]).astype(np.int64)
    return Cells(directions, means.centroids.astype(np.float32), ptr, rows, codes[rows], scale, np.zeros(1, np.int64))


def _leading(sample: Vectors) -> Vectors:
    """(d, dim): the directions in which the vectors are longest, so that inner products along them are closest."""
    moments = sample.T.astype(np.float64) @ sample.astype(np.float64)
    directions = np.linalg.eigh(moments)[1][:, ::-1][:, :DIRECTIONS].T
    return np.ascontiguousarray(directions, np.float32)


def _coded(parts: Vectors, scale: Vectors) -> npt.NDArray[np.int8]:
    return np.clip(np.round(parts / scale), -127, 127).astype(np.int8)


def _nearest_ten(vectors: Vectors, sample: Vectors) -> Rows:
    """(len(sample), 10) exact nearest rows, in no order."""
    similarities = np.empty((len(sample), 0), np.float32)
    rows = np.empty((len(sample), 0), np.int64)
    for begin in range(0, len(vectors), BLOCK):
        block = sample @ np.asarray(vectors[begin : begin + BLOCK], np.float32).T
        numbers = np.broadcast_to(np.arange(begin, begin + block.shape[1]), block.shape)
        similarities, rows = np.hstack([similarities, block]), np.hstack([rows, numbers])
        best = np.argpartition(-similarities, 9, axis=1)[:, :10]
        similarities, rows = np.take_along_axis(similarities, best, 1), np.take_along_axis(rows, best, 1)
    return rows


def _recall(found: list[Rows], wanted: Rows) -> float:
    hits = sum(len(set(f.tolist()) & set(w)) for f, w in zip(found, wanted.tolist(), strict=True))
    return float(hits / wanted.size)
