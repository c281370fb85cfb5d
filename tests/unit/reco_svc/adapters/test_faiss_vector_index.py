from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reco_svc.adapters.faiss_vector_index import EXACT_UP_TO, FaissVectorIndex
from reco_svc.domain.ports import Vectors
from reco_svc.domain.vector_space import VectorSpace, exact_search

DIM, CLUSTERS = 24, 300


def crowded(n: int) -> Vectors:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((CLUSTERS, DIM))
    points = centres[rng.integers(CLUSTERS, size=n)] + 0.4 * rng.standard_normal((n, DIM))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return crowded(2 * EXACT_UP_TO)


@pytest.fixture(scope="module")
def index(vectors: Vectors) -> FaissVectorIndex:
    return FaissVectorIndex.build(vectors)[0]


def recall(index: FaissVectorIndex, vectors: Vectors, allowed: np.ndarray) -> float:
    hits = 0
    for row in range(0, len(vectors), len(vectors) // 100):
        wanted, _ = exact_search(vectors, vectors[row], 10, allowed)
        found, _ = VectorSpace(vectors.astype(np.float16), index).search(vectors[row], 10, allowed)
        hits += len(set(wanted.tolist()) & set(found.tolist()))
    return hits / 1000


@pytest.mark.parametrize("share", [1.0, 0.1, 0.01, 0.001])
def test_nearest_are_found_however_little_a_filter_leaves(
    index: FaissVectorIndex, vectors: Vectors, share: float
) -> None:
    allowed = np.random.default_rng(4).random(len(vectors)) < share
    assert recall(index, vectors, allowed) >= 0.95


def test_a_filter_that_leaves_only_what_is_far_away_still_finds_it(index: FaissVectorIndex, vectors: Vectors) -> None:
    allowed = vectors[:, 0] > np.quantile(vectors[:, 0], 0.8)
    assert recall(index, vectors, allowed) >= 0.95


def test_only_allowed_rows_are_answered_best_first(index: FaissVectorIndex, vectors: Vectors) -> None:
    allowed = np.arange(len(vectors)) % 3 == 0
    rows, similarities = index.search(vectors[7], 50, allowed)
    assert len(rows) == 50
    assert allowed[rows].all()
    assert (np.diff(similarities) <= 0).all()
    assert not len(index.search(vectors[7], 50, np.zeros(len(vectors), np.bool_))[0])


def test_a_saved_index_answers_the_same_and_a_broken_file_is_refused(
    index: FaissVectorIndex, vectors: Vectors, tmp_path: Path
) -> None:
    index.save(tmp_path / "index")
    again = FaissVectorIndex.load(tmp_path / "index")
    assert again.size == len(vectors)
    for one, other in zip(index.search(vectors[1], 20, None), again.search(vectors[1], 20, None), strict=True):
        assert np.array_equal(one, other)
    (tmp_path / "broken").write_bytes(b"nonsense")
    with pytest.raises(OSError, match="broken is no index"):
        FaissVectorIndex.load(tmp_path / "broken")


def test_a_small_shop_is_searched_exactly() -> None:
    small = crowded(500)
    index, measured = FaissVectorIndex.build(small)
    allowed = np.arange(500) % 2 == 0
    assert measured == 1.0
    for row in range(0, 500, 50):
        rows, similarities = index.search(small[row], 10, allowed)
        wanted, exact = exact_search(small, small[row], 10, allowed)
        assert rows.tolist() == wanted.tolist()
        assert np.allclose(similarities, exact, atol=1e-6)
