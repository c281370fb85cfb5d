from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reco_svc.adapters.cell_vector_index import BY_ROW, CellVectorIndex
from reco_svc.adapters.faiss_vector_index import FaissVectorIndex
from reco_svc.adapters.index_building import EXACT_UP_TO, MIN_RECALL, build_index
from reco_svc.domain.ports import VectorIndex, Vectors
from reco_svc.domain.vector_space import VectorSpace, exact_search

DIM, CLUSTERS = 24, 300


def crowded(n: int) -> Vectors:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((CLUSTERS, DIM))
    points = centres[rng.integers(CLUSTERS, size=n)] + 0.4 * rng.standard_normal((n, DIM))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return crowded(4 * EXACT_UP_TO)


@pytest.fixture(scope="module")
def index(vectors: Vectors) -> CellVectorIndex:
    index, measured = build_index(vectors)
    assert isinstance(index, CellVectorIndex)
    assert measured >= MIN_RECALL
    return index


def recall(index: VectorIndex, vectors: Vectors, allowed: np.ndarray) -> float:
    hits = 0
    for row in range(0, len(vectors), len(vectors) // 100):
        wanted, _ = exact_search(vectors, vectors[row], 10, allowed)
        found, _ = VectorSpace(vectors.astype(np.float16), index).search(vectors[row], 10, allowed)
        hits += len(set(wanted.tolist()) & set(found.tolist()))
    return hits / 1000


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01, 0.001])
def test_nearest_are_found_however_little_a_filter_leaves(
    index: CellVectorIndex, vectors: Vectors, share: float
) -> None:
    allowed = np.random.default_rng(4).random(len(vectors)) < share
    assert recall(index, vectors, allowed) >= 0.95


def test_a_filter_that_leaves_only_what_is_far_away_still_finds_it(index: CellVectorIndex, vectors: Vectors) -> None:
    far = vectors[:, 0] > np.quantile(vectors[:, 0], 0.5)
    assert far.sum() > BY_ROW
    hits = 0
    for query in vectors[~far][:50]:
        wanted, _ = exact_search(vectors, -query, 10, far)
        hits += len(set(wanted.tolist()) & set(index.search(-query, 10, far)[0].tolist()))
    assert hits / 500 >= 0.95


def test_only_allowed_rows_are_answered_best_first(index: CellVectorIndex, vectors: Vectors) -> None:
    for step in (2, 3):  # one more, one less than BY_ROW
        allowed = np.arange(len(vectors)) % step == 0
        rows, similarities = index.search(vectors[7], 50, allowed)
        assert len(rows) == 50
        assert allowed[rows].all()
        assert (np.diff(similarities) <= 0).all()
        assert np.allclose(similarities, vectors[rows] @ vectors[7], atol=1e-6)
    assert not len(index.search(vectors[7], 50, np.zeros(len(vectors), np.bool_))[0])


def test_a_filter_that_leaves_everything_is_none(index: CellVectorIndex, vectors: Vectors) -> None:
    everything = np.ones(len(vectors), np.bool_)
    for one, other in zip(index.search(vectors[5], 20, everything), index.search(vectors[5], 20, None), strict=True):
        assert np.array_equal(one, other)


def test_a_saved_index_answers_the_same_and_the_same_vectors_give_the_same_bytes(
    index: CellVectorIndex, vectors: Vectors, tmp_path: Path
) -> None:
    folders = tmp_path / "one", tmp_path / "other"
    for folder, made in zip(folders, (index, build_index(vectors)[0]), strict=True):
        folder.mkdir()
        made.save(folder)
    files = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert files[0] == files[1]
    again = CellVectorIndex.load(folders[0], vectors)
    assert again is not None
    assert again.size == len(vectors)
    for one, other in zip(index.search(vectors[1], 20, None), again.search(vectors[1], 20, None), strict=True):
        assert np.array_equal(one, other)


def test_cells_that_do_not_fit_together_are_refused(index: CellVectorIndex, vectors: Vectors, tmp_path: Path) -> None:
    assert CellVectorIndex.load(tmp_path, vectors) is None
    cells = index._cells
    CellVectorIndex(replace(cells, centres=cells.centres[:-1]), vectors).save(tmp_path)
    with pytest.raises(ValueError, match="cells of shapes"):
        CellVectorIndex.load(tmp_path, vectors)


def test_vectors_that_crowd_nowhere_are_searched_exactly() -> None:
    noise = np.random.default_rng(2).standard_normal((EXACT_UP_TO + 1, 384)).astype(np.float32)
    index, measured = build_index(noise / np.linalg.norm(noise, axis=1, keepdims=True))
    assert isinstance(index, FaissVectorIndex)
    assert measured == 1.0


def test_a_small_shop_is_searched_exactly() -> None:
    small = crowded(500)
    index, measured = build_index(small)
    allowed = np.arange(500) % 2 == 0
    assert measured == 1.0
    for row in range(0, 500, 50):
        rows, similarities = index.search(small[row], 10, allowed)
        wanted, exact = exact_search(small, small[row], 10, allowed)
        assert rows.tolist() == wanted.tolist()
        assert np.allclose(similarities, exact, atol=1e-6)
