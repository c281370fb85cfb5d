"""From sparse matrices to graphs of nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from scipy import sparse

from reco_svc.domain.snapshot import Graph


def best_neighbours(matrix: sparse.csr_matrix, most: int) -> Graph:
    """The `most` greatest positive entries of each row, best first, ties by column."""
    ordered = matrix.sorted_indices()
    positive = np.add.reduceat(np.append(ordered.data > 0, False).astype(np.int64), ordered.indptr[:-1])
    counts = np.where(np.diff(ordered.indptr) > 0, np.minimum(positive, most), 0)
    ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rows, scores = np.empty(ptr[-1], np.int32), np.empty(ptr[-1], np.float32)
    _fill(ordered.indptr, ordered.indices, ordered.data, ptr, rows, scores)
    return Graph(ptr, rows, scores)


@njit(cache=True, nogil=True)
def _fill(begins, columns, values, ptr, rows, scores):  # type: ignore[no-untyped-def]
    """Writes the greatest entries of each row, as many as `ptr` has place for; columns rise within a row."""
    for row in range(len(ptr) - 1):
        most = ptr[row + 1] - ptr[row]
        if not most:
            continue
        found = begins[row] + np.flatnonzero(values[begins[row] : begins[row + 1]] > 0)
        if len(found) > 2 * most:  # sorting a part is enough
            least = np.partition(values[found], len(found) - most)[len(found) - most]
            found = found[values[found] >= least]
        best = found[np.argsort(-values[found], kind="mergesort")][:most]
        rows[ptr[row] : ptr[row + 1]], scores[ptr[row] : ptr[row + 1]] = columns[best], values[best]


def joined(graphs: Sequence[Graph]) -> Graph:
    """The rows of the first, then those of the second, and so on."""
    sizes = np.concatenate([[0], *(np.diff(graph.ptr) for graph in graphs)])
    rows, scores = (np.concatenate([getattr(graph, name) for graph in graphs]) for name in ("rows", "scores"))
    return Graph(np.cumsum(sizes).astype(np.int64), rows.astype(np.int32), scores.astype(np.float32))


def damped(graph: Graph, power: float) -> Graph:
    """Scores over the sum of all that lead to the same column, to a power: at 1 what is near to everything wins
    nowhere (Deshpande and Karypis, TOIS 2004), at 0 it may win everywhere. Best first again, ties by column."""
    n = len(graph.ptr) - 1
    near = np.maximum(np.bincount(graph.rows, graph.scores, minlength=n), 1e-6)
    scores = (graph.scores * near[graph.rows] ** -power).astype(np.float32)
    order = np.lexsort((graph.rows, -scores, np.repeat(np.arange(n), np.diff(graph.ptr))))
    return Graph(graph.ptr, graph.rows[order], scores[order])


def scaled(graph: Graph) -> Graph:
    """The same with a greatest score of 1."""
    top = float(graph.scores.max()) if len(graph.scores) else 1.0
    return Graph(graph.ptr, graph.rows, (graph.scores / top).astype(np.float32))
