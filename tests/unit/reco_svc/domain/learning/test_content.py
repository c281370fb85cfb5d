"""Likeness of products by what the catalog says of them."""

import numpy as np

from reco_svc.domain.learning.content import content_graph, without_boilerplate

TITLES = ["red mug", "blue mug", "red scarf", "wool scarf", "garden spade", "garden rake"]


def flat(n: int) -> np.ndarray:
    return np.zeros((n, 4), np.float32)


def test_products_that_share_words_are_alike_and_none_is_like_itself():
    graph = content_graph(TITLES, flat(6), np.ones(6, np.bool_))
    assert graph.of(4)[0][0] == 5
    assert set(graph.of(0)[0].tolist()) >= {1, 2}
    assert all(row not in graph.of(row)[0].tolist() for row in range(6))


def test_vectors_find_what_words_do_not():
    vectors = np.eye(6, 4, dtype=np.float32)
    vectors[4] = vectors[0]
    alike, _ = content_graph(TITLES, vectors, np.ones(6, np.bool_)).of(0)
    assert 4 in alike.tolist()


def test_scores_fall_along_the_neighbours():
    _, scores = content_graph(TITLES, np.full((6, 1), 1.0, np.float32), np.ones(6, np.bool_)).of(0)
    assert (np.diff(scores) <= 0).all()


def test_products_that_nobody_had_have_places_of_their_own(monkeypatch):
    monkeypatch.setattr("reco_svc.domain.learning.content.NEIGHBOURS", 1)
    monkeypatch.setattr("reco_svc.domain.learning.content.UNSEEN", 1)
    had = np.array([True, False, True, True, True, True])
    assert set(content_graph(TITLES, flat(6), had).of(0)[0].tolist()) == {1, 2}


def test_sentences_repeated_over_the_catalog_are_left_out():
    texts = [f"Mug number {n}. Free delivery on every order." for n in range(30)]
    assert without_boilerplate(texts)[3] == "Mug number 3."
    assert without_boilerplate(texts[:5]) == texts[:5]


def test_an_empty_catalog_has_no_neighbours():
    assert len(content_graph([], flat(0), np.ones(0, np.bool_)).rows) == 0
