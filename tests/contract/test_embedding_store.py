"""What every EmbeddingStore keeps."""

from collections.abc import Callable

import numpy as np
import pytest

from reco_svc.adapters.django_embedding_store import DjangoEmbeddingStore
from reco_svc.domain.ports import EmbeddingStore, Vectors
from tests.support.reco_stores import MemoryEmbeddingStore


@pytest.fixture(params=["memory", "sqlite", "sqlite-float32", "postgres"])
def store(request: pytest.FixtureRequest, open_reco_database: Callable[[str], None]) -> EmbeddingStore:
    if request.param == "memory":
        return MemoryEmbeddingStore()
    kind, _, precision = request.param.partition("-")
    open_reco_database(kind)
    return DjangoEmbeddingStore(precision="float32" if precision else "float16")


def _vectors(count: int, seed: int = 7) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_an_empty_store_knows_nothing(store: EmbeddingStore) -> None:
    assert store.get("minilm", ["a"]) == {}
    assert store.get("minilm", []) == {}
    store.put("minilm", [], np.empty((0, 384), np.float32))


def test_vectors_come_back_by_hash_as_float32(store: EmbeddingStore) -> None:
    vectors = _vectors(3)
    store.put("minilm", ["a", "b", "c"], vectors)

    found = store.get("minilm", ["c", "unknown", "a", "a"])

    assert set(found) == {"a", "c"}
    assert found["a"].dtype == np.float32
    assert found["a"].shape == (384,)
    np.testing.assert_allclose(found["c"], vectors[2], atol=2e-4)
    assert float(found["a"] @ vectors[0]) == pytest.approx(1.0, abs=1e-3)


def test_embedders_do_not_see_each_other(store: EmbeddingStore) -> None:
    one, other = _vectors(1), _vectors(1, seed=8)[:, :64]
    store.put("minilm", ["a"], one)
    store.put("lsa-1", ["a"], other)

    assert store.get("lsa-1", ["a"])["a"].shape == (64,)
    assert store.get("lsa-2", ["a"]) == {}


def test_an_existing_hash_is_left_alone(store: EmbeddingStore) -> None:
    first, second = _vectors(1), _vectors(2, seed=9)
    store.put("minilm", ["a"], first)
    store.put("minilm", ["a", "b"], second)

    found = store.get("minilm", ["a", "b"])

    np.testing.assert_allclose(found["a"], first[0], atol=2e-4)
    np.testing.assert_allclose(found["b"], second[1], atol=2e-4)


def test_the_zero_vector_stays_zero(store: EmbeddingStore) -> None:
    store.put("minilm", ["empty"], np.zeros((1, 384), np.float32))

    assert not store.get("minilm", ["empty"])["empty"].any()


def test_a_vector_is_needed_for_each_hash(store: EmbeddingStore) -> None:
    with pytest.raises(ValueError, match="2 hashes with 1 vectors"):
        store.put("minilm", ["a", "b"], _vectors(1))


def test_thousands_of_vectors_are_stored_and_found(store: EmbeddingStore) -> None:
    hashes = [f"h{n}" for n in range(1_203)]
    store.put("minilm", hashes, _vectors(len(hashes)))

    assert sorted(store.get("minilm", hashes)) == sorted(hashes)
