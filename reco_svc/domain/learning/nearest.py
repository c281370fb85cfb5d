"""From sparse matrices to graphs of nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from reco_svc.domain.snapshot import Graph


def best_neighbours(matrix: sparse.csr_matrix, most: int) -> Graph:
    """The `most` greatest positive entries of each row, best first, ties by column."""
    owner = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    positive = matrix.data > 0
    owner, column, value = owner[positive], matrix.indices[positive], matrix.data[positive]
    order = np.lexsort((column, -value, owner))
    owner, column, value = owner[order], column[order], value[order]
    counts = np.bincount(owner, minlength=matrix.shape[0])
    first = np.concatenate([[0], np.cumsum(counts)])
    keep = np.arange(len(owner)) - first[owner] < most
    ptr = np.concatenate([[0], np.cumsum(np.minimum(counts, most))])
    return Graph(ptr.astype(np.int64), column[keep].astype(np.int32), value[keep].astype(np.float32))


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
