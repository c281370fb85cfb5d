"""Counting everything again gives what counting one by one gave."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_svc.domain.model import EventType
from reco_svc.domain.popularity import FORGET_AFTER_H, PLACED_AT_ONCE, Popularity
from reco_svc.domain.ports import HourlyCount

ROWS = {"a": 0, "b": 1, "c": 2}
MOVED = {"c": 0, "a": 3}  # "b" is gone
NEWEST_H = 500_000
COUNTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "unknown"]),
        st.sampled_from(EventType),
        st.integers(NEWEST_H - FORGET_AFTER_H, NEWEST_H),
        st.integers(0, 50),
    ),
    max_size=30,
)


def row_in(rows: dict[str, int]) -> Callable[[str], int]:
    return lambda product_id: rows.get(product_id, -1)


def counted(told: list[tuple[str, EventType, int, int]], rows: dict[str, int]) -> Popularity:
    popularity = Popularity()
    popularity.apply([HourlyCount(*count, revision=n) for n, count in enumerate(told, 1)], row_in(rows))
    return popularity


def scores_of(popularity: Popularity) -> list[np.ndarray]:
    """Popular, trending and momentum of five rows, (5,) each."""
    now_s, rows = NEWEST_H * 3600.0, np.arange(5)
    return [popularity.popular(5, now_s), popularity.trending(5, now_s), popularity.momentum(rows)]


def alike(expected: Popularity) -> list[object]:
    popular, *others = scores_of(expected)
    return [pytest.approx(popular, rel=1e-5, abs=1e-6), *(pytest.approx(one, rel=1e-4, abs=1e-5) for one in others)]


@given(COUNTS, COUNTS)
def test_placed_for_the_same_and_for_other_rows_it_is_as_if_counted_there(told, later):
    popularity = counted(told, ROWS)
    assert scores_of(popularity.placed(row_in(MOVED), 4)) == alike(counted(told, MOVED))
    again = popularity.placed(row_in(ROWS), 3)
    assert scores_of(again) == alike(counted(told, ROWS))
    news = [HourlyCount(*count, revision=100 + n) for n, count in enumerate(later)]
    again.apply(news, row_in(ROWS))
    assert scores_of(again) == alike(counted([*told, *later], ROWS))


def test_counters_are_placed_in_steps():
    ids = [f"p{n}" for n in range(40)]
    rows = {product_id: row for row, product_id in enumerate(ids)}
    hours = range(NEWEST_H - PLACED_AT_ONCE // 20, NEWEST_H)
    popularity = counted([(id_, EventType.VIEW_ITEM, hour, 1) for id_ in ids for hour in hours], rows)
    pauses: list[int] = []
    moved = popularity.placed(row_in(rows), len(ids), pause=lambda: pauses.append(1))
    assert len(pauses) == 2
    assert moved.popular(40, NEWEST_H * 3600.0) == pytest.approx(popularity.popular(40, NEWEST_H * 3600.0))


def test_what_is_forgotten_counts_no_more_in_another_table():
    told = [("a", EventType.VIEW_ITEM, NEWEST_H - FORGET_AFTER_H - 1, 9), ("b", EventType.VIEW_ITEM, NEWEST_H, 1)]
    moved = counted(told, ROWS).placed(row_in(ROWS), 3)
    assert scores_of(moved) == alike(counted(told[1:], ROWS))


def test_counters_are_let_go_in_steps_and_scores_stay():
    ids = [f"p{n}" for n in range(40)]
    rows = {product_id: row for row, product_id in enumerate(ids)}
    hours = range(NEWEST_H - PLACED_AT_ONCE // 20, NEWEST_H)
    popularity = counted([(id_, EventType.VIEW_ITEM, hour, 1) for id_ in ids for hour in hours], rows)
    before = popularity.popular(40, NEWEST_H * 3600.0)
    pauses: list[int] = []
    popularity.let_go(pause=lambda: pauses.append(1))
    assert len(pauses) == 2
    assert (popularity.popular(40, NEWEST_H * 3600.0) == before).all()
