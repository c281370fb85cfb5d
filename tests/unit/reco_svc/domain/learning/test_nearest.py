"""Nearest neighbours from sparse matrices."""

import numpy as np
from scipy import sparse

from reco_svc.domain.learning.collaborative import item_knn
from reco_svc.domain.learning.nearest import best_neighbours, damped, joined, scaled


def test_the_greatest_entries_come_first_and_equals_by_column():
    matrix = sparse.csr_matrix(np.array([[0, 1, 3, 1], [0, -1, 0, 0], [2, 0, 0, 0.0]]))
    graph = best_neighbours(matrix, 2)
    assert [graph.of(row)[0].tolist() for row in range(3)] == [[2, 1], [], [0]]
    assert scaled(graph).of(0)[1].tolist() == [1.0, np.float32(1 / 3)]


def test_graphs_are_joined_row_after_row():
    graph = best_neighbours(sparse.csr_matrix(np.array([[0, 1.0], [1, 0]])), 5)
    both = joined([graph, graph])
    assert [both.of(row)[0].tolist() for row in range(4)] == [[1], [0], [1], [0]]


def test_item_knn_in_blocks_is_the_shrunk_cosine(monkeypatch):
    monkeypatch.setattr("reco_svc.domain.learning.collaborative.BLOCK", 2)
    had = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1.0]], np.float32)
    graph = item_knn(sparse.csr_matrix(had), sparse.csr_matrix((0, 5), dtype=np.float32))
    common = had.T @ had
    norms = np.sqrt(np.diag(common))
    wanted = common / np.outer(norms, norms) * common / (common + 20.0)
    np.fill_diagonal(wanted, 0.0)
    for row in range(5):
        rows, scores = graph.of(row)
        np.testing.assert_allclose(scores, wanted[row, rows], rtol=1e-5)
        assert set(rows.tolist()) == set(np.flatnonzero(wanted[row]).tolist())


def test_damping_takes_from_what_is_near_to_everything():
    near = np.array([[0, 1.0, 0.9], [0.1, 1.0, 0.2], [0, 1.0, 0.3]])
    graph = best_neighbours(sparse.csr_matrix(near), 3)
    assert damped(graph, 0.0).of(0)[0].tolist() == [1, 2]
    half = damped(graph, 0.5)
    assert half.of(0)[0].tolist() == [2, 1]
    np.testing.assert_allclose(half.of(0)[1], [0.9 / 1.4**0.5, 1.0 / 3.0**0.5], rtol=1e-6)
