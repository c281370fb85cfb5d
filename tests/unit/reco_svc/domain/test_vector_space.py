from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.vector_space import SCANNED, VectorSpace, exact_search

DIM = 3
directions = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=DIM, max_size=DIM)
changes = st.lists(st.tuples(st.integers(0, 14), st.none() | directions), max_size=6)


def normal(direction: list[float]) -> np.ndarray:  # type: ignore[type-arg]
    vector = np.array(direction, np.float32)
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


@settings(max_examples=200, deadline=None)
@given(st.lists(directions, max_size=12), changes, st.integers(0, 14), st.integers(1, 6), st.data())
def test_the_nearest_of_a_row_are_those_of_an_exact_scan(
    base: list[list[float]], changes: list[tuple[int, list[float] | None]], row: int, k: int, data: st.DataObject
):
    matrix = np.zeros((15, DIM), np.float32)
    matrix[: len(base)] = [normal(direction) for direction in base] if base else 0
    space = VectorSpace(matrix[: len(base)].copy(), None)
    known = np.arange(15) < len(base)
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=15, max_size=15)))
    space.search_row(row, k, allowed)  # remembered before the changes
    for changed, direction in changes:
        known[changed] = direction is not None
        matrix[changed] = 0 if direction is None else normal(direction)
        if direction is None:
            space.drop(changed)
        else:
            space.set(changed, matrix[changed].copy())
    expected = exact_search(matrix, matrix[row], k, allowed & known)
    for found in (space.search_row(row, k, allowed), space.search(matrix[row], k, allowed)):
        if space.vector(row) is not None:
            assert np.allclose(np.sort(found[1]), np.sort(expected[1]), atol=1e-6)
            assert (allowed & known)[found[0]].all()
            assert len(set(found[0].tolist())) == len(found[0])


def test_a_narrow_mask_asks_the_index_again_and_a_very_narrow_one_is_compared_row_by_row():
    asked: list[int] = []

    class Index:
        def search(self, vector, k, allowed):  # type: ignore[no-untyped-def]
            asked.append(k)
            return exact_search(base, vector, k, allowed)

    n = 3 * SCANNED
    base = np.random.default_rng(1).standard_normal((n, 8)).astype(np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    space = VectorSpace(base, Index())
    everything, far, few = np.ones(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    far[exact_search(base, -base[0], SCANNED + 1, everything)[0]] = True
    few[exact_search(base, -base[0], 5, everything)[0]] = True
    first = space.search_row(0, 10, everything)
    assert space.search_row(0, 10, everything)[0].tolist() == first[0].tolist()
    assert asked == [256]
    assert space.search_row(0, 10, far)[0].tolist() == exact_search(base, base[0], 10, far)[0].tolist()
    assert asked == [256, 20]
    assert space.search_row(0, 10, few)[0].tolist() == exact_search(base, base[0], 10, few)[0].tolist()
    assert asked == [256, 20]


def test_a_dropped_row_is_not_found_even_where_it_is_allowed():
    space = VectorSpace(np.eye(3, dtype=np.float32), None)
    space.drop(0)
    assert space.search(np.ones(3, np.float32), 3, np.ones(3, bool))[0].tolist() == [1, 2]


class Deep:
    """An index that counts what it is asked."""

    def __init__(self, base: Vectors) -> None:
        self.base, self.asked = base, 0

    def search(self, vector: Vectors, k: int, allowed: Mask | None) -> tuple[Rows, Vectors]:
        self.asked += 1
        return exact_search(self.base, vector, k, allowed)


def test_the_same_question_among_fewer_rows_is_answered_from_what_was_found():
    base = np.random.default_rng(2).standard_normal((3 * SCANNED, 4)).astype(np.float32)
    index = Deep(base)
    space, query, all_rows = VectorSpace(base, index), base[5], np.ones(len(base), np.bool_)
    fewer, other = all_rows.copy(), all_rows.copy()
    fewer[::7] = False
    other[: SCANNED // 2] = False
    for allowed, asks in ((all_rows, 1), (fewer, 1), (all_rows, 1), (other, 1)):
        assert space.search(query, 20, allowed)[0].tolist() == exact_search(base, query, 20, allowed)[0].tolist()
        assert index.asked == asks
    space.search(query, 60, all_rows)
    assert index.asked == 2
    space.search(query, 20, fewer)
    space.search(query, 20, all_rows)
    space.search(base[6], 20, fewer)
    assert index.asked == 3
    assert space.search(base[6], 20, all_rows)[0].tolist() == exact_search(base, base[6], 20, all_rows)[0].tolist()
    assert index.asked == 4  # more rows than before
    space.drop(3)
    space.search(base[6], 20, all_rows)
    assert index.asked == 5
