"""Near-duplicates among products without a common group."""

import numpy as np
import pytest

from reco_svc.domain.learning.nearest import best_neighbours
from reco_svc.domain.learning.twins import near_duplicates
from reco_svc.domain.snapshot import Graph

MUG = "Stoneware coffee mug by Kettlewick"


def vectors_of(*cosines: float) -> np.ndarray:
    """The first along an axis, each other at a cosine to it, all in one plane."""
    return np.array([[c, np.sqrt(1 - c * c)] for c in (1.0, *cosines)], np.float32)


def twins(titles: list[str], vectors: np.ndarray, apart: Graph | None = None, **facts: float) -> list[int]:
    return near_duplicates(titles, vectors, apart or Graph.empty(len(titles)), **facts).tolist()


def test_a_product_listed_twice_and_one_in_another_color_are_near_duplicates():
    titles = [f"{MUG}, red", "Garden spade with an oak handle", f"{MUG}, red", f"{MUG}, blue"]
    assert twins(titles, np.array([[1, 0], [0, 1], [1, 0], [0.99, 0.141]], np.float32)) == [0, -1, 0, 0]


@pytest.mark.parametrize(("one", "other"), [("250 ml", "400 ml"), ("M", "XXL"), ("20 cm", "1,5 m"), ("5kg", "")])
def test_sizes_do_not_tell_products_apart(one: str, other: str):
    assert twins([f"Kettle, {one}", f"Kettle, {other}"], vectors_of(0.98)) == [0, 0]


def test_like_words_under_unlike_vectors_and_like_vectors_under_other_words_are_different_products():
    assert twins([f"{MUG}, red", f"{MUG}, blue"], vectors_of(0.9)) == [-1, -1]
    assert twins([MUG, "Tumbler for the road"], vectors_of(1.0)) == [-1, -1]


def test_short_titles_that_differ_in_a_word_are_different_products():
    assert twins(["Product 0001", "Product 0002"], vectors_of(1.0)) == [-1, -1]


def test_what_is_bought_together_is_no_duplicate():
    from scipy import sparse

    pairs = best_neighbours(sparse.csr_matrix(np.array([[0, 1], [0, 0]], np.float32)), 5)
    assert twins([f"{MUG}, red", f"{MUG}, blue"], vectors_of(0.99), pairs) == [-1, -1]


def test_there_are_no_chains():
    angles = np.arccos(0.98) * np.arange(3)
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    assert twins([MUG, MUG, MUG], vectors) == [0, 0, -1]


def test_a_threshold_above_one_finds_none():
    assert twins([MUG, MUG], vectors_of(1.0), near=1.01) == [-1, -1]


def test_a_family_of_thousands_takes_no_square_of_its_size():
    titles = [f"Enamel sign with house number {n}" for n in range(20_000)]
    vectors = np.random.default_rng(0).normal(size=(20_000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert set(twins(titles, vectors, near=0.9999)) >= {-1}


def test_no_products_have_no_duplicates():
    assert twins([], np.zeros((0, 4), np.float32)) == []
