from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from reco_svc.adapters.faiss_vector_index import FaissVectorIndex
from reco_svc.domain.ports import Vectors
from reco_svc.domain.vector_space import exact_search


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    points = np.random.default_rng(3).standard_normal((2_000, 16)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_a_saved_index_answers_the_same_and_a_broken_file_is_refused(vectors: Vectors, tmp_path: Path) -> None:
    index = FaissVectorIndex.exact(vectors)
    index.save(tmp_path / "index")
    again = FaissVectorIndex.load(tmp_path / "index")
    assert again.size == len(vectors)
    for one, other in zip(index.search(vectors[1], 20, None), again.search(vectors[1], 20, None), strict=True):
        assert np.array_equal(one, other)
    (tmp_path / "broken").write_bytes(b"nonsense")
    with pytest.raises(OSError, match="broken is no index"):
        FaissVectorIndex.load(tmp_path / "broken")


def test_cells_of_a_release_before_are_read_on(vectors: Vectors, tmp_path: Path) -> None:
    cells = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(16), 16, 40, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    cells.train(vectors)
    cells.add(vectors)
    cells.nprobe = 20
    faiss.write_index(cells, str(tmp_path / "index"))
    index = FaissVectorIndex.load(tmp_path / "index")
    hits = 0
    for row in range(0, 2_000, 100):
        allowed = np.arange(2_000) % 3 == row % 3
        found, similarities = index.search(vectors[row], 10, allowed)
        assert allowed[found].all()
        assert (np.diff(similarities) <= 0).all()
        hits += len(set(found.tolist()) & set(exact_search(vectors, vectors[row], 10, allowed)[0].tolist()))
    assert hits / 200 >= 0.9
