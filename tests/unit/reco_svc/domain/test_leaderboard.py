from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_svc.domain import leaderboard
from reco_svc.domain.leaderboard import Leaderboard, LeaderboardCache
from reco_svc.domain.product_table import ProductTable
from tests.support.reco_fakes import product

places = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60)


def table_of(n: int) -> ProductTable:
    table = ProductTable()
    table.load([product(f"p{(row * 37) % 101:03}") for row in range(n)], 1)
    return table


@pytest.mark.parametrize("depth", [3, 1000])
@given(places=places, k=st.integers(1, 8))
def test_the_best_allowed_rows_are_those_of_a_full_sort(places: list[tuple[int, bool]], k: int, depth: int):
    table = table_of(len(places))
    scores = np.array([score for score, _ in places], np.float32)
    allowed = np.array([ok for _, ok in places], np.bool_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaderboard, "DEPTH", depth)
        rows, found = Leaderboard(scores, table).best(k, allowed, table)
    wanted = [row for row in range(len(places)) if scores[row] > 0 and allowed[row]]
    wanted.sort(key=lambda row: (-scores[row], table.id(row)))
    assert rows.tolist() == wanted[:k]
    assert found.tolist() == scores[wanted[:k]].tolist()


def test_a_leaderboard_is_made_again_only_when_its_ground_changes():
    table, cache = table_of(3), LeaderboardCache()
    asked: list[int] = []

    def scores() -> np.ndarray:  # type: ignore[type-arg]
        asked.append(1)
        return np.ones(3, np.float32)

    first = cache.get("popular", 1, table, scores)
    assert cache.get("popular", 1, table, scores) is first
    assert cache.get("popular", 2, table, scores) is not first
    assert len(asked) == 2
