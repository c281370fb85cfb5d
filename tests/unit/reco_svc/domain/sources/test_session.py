"""Sessions of the snapshot and sessions since are searched as if they were one log."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.snapshot import index_of
from reco_svc.domain.sources.session import neighbour_scores

N = 9
past = st.lists(st.lists(st.integers(0, N - 1), min_size=2, max_size=5, unique=True), max_size=12)


@settings(max_examples=100, deadline=None)
@given(past, past, st.lists(st.integers(0, N - 1), min_size=1, max_size=4, unique=True))
def test_two_indexes_give_what_one_of_both_gives(before: list[list[int]], since: list[list[int]], rows: list[int]):
    idf = np.linspace(0.5, 1.5, N).astype(np.float32)
    weights = np.linspace(0.4, 1.0, len(rows)).astype(np.float32)
    one = neighbour_scores((index_of([*before, *since], idf),), np.array(rows), weights)
    two = neighbour_scores((index_of(before, idf), index_of(since, idf)), np.array(rows), weights)
    whole = dict(zip(one[0].tolist(), one[1].tolist(), strict=True))
    parts = dict(zip(two[0].tolist(), two[1].tolist(), strict=True))
    assert whole.keys() == parts.keys()
    greatest = max(whole.values(), default=1.0)
    for row, score in whole.items():
        assert abs(score / greatest - parts[row] / max(parts.values())) < 1e-4
    assert set(two[2].tolist()) <= set(rows)


def test_a_product_that_an_index_does_not_know_is_left_out():
    found, _, _ = neighbour_scores((index_of([[0, 1]], np.ones(2, np.float32)), None), np.array([7, 0]), np.ones(2))
    assert found.tolist() == [1]


def test_no_sessions_say_nothing():
    assert len(neighbour_scores((None,), np.array([0]), np.ones(1))[0]) == 0
