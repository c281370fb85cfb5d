"""Texts of a catalog as vectors."""

from collections.abc import Sequence

import numpy as np

from reco_svc.domain.ports import Vectors
from reco_svc.service.embed_texts import embed_texts
from tests.support.reco_stores import MemoryEmbeddingStore


class Lengths:
    """Embedder: the length of a text and its third part, which no binary number is."""

    name, dim = "lengths", 2

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return np.array([(len(text), len(text) / 3) for text in texts], np.float32)


class RoundingStore(MemoryEmbeddingStore):
    def put(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        super().put(embedder, hashes, np.asarray(vectors, np.float16))


def test_each_different_text_is_embedded_once() -> None:
    embedder, store = Lengths(), MemoryEmbeddingStore()
    embed_texts(["a", "bb", "a"], embedder, store)
    vectors = embed_texts(["bb", "ccc"], embedder, store)
    assert embedder.embedded == ["a", "bb", "ccc"]
    assert vectors[:, 0].tolist() == [2.0, 3.0]


def test_the_first_training_sees_the_vectors_that_every_later_one_will() -> None:
    texts, store = ["a", "bb", "ccccc"], RoundingStore()
    first = embed_texts(texts, Lengths(), store)
    assert (first == embed_texts(texts, Lengths(), store)).all()
