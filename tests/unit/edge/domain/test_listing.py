"""Fusing rankings."""

from hypothesis import given
from hypothesis import strategies as st

from edge.domain.listing import fused_by_rank

rankings = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4)


def test_what_several_rankings_hold_comes_first() -> None:
    assert fused_by_rank(["a", "b"], ["b", "c"]) == ["b", "a", "c"]
    assert fused_by_rank(["b"], ["a"]) == ["a", "b"]
    assert fused_by_rank() == []


@given(rankings)
def test_every_id_comes_once_and_one_ranking_keeps_its_order(given_rankings: list[list[str]]) -> None:
    fused = fused_by_rank(*given_rankings)
    assert sorted(fused) == sorted({one for ranking in given_rankings for one in ranking})
    if len(given_rankings) == 1:
        assert fused == given_rankings[0]
