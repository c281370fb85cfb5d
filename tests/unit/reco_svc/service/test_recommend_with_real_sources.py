"""The real sources over a small trained shop: what each strategy answers, cold and warm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from reco_svc.domain.blend import CONTEXT_SIZES, BlendWeights
from reco_svc.domain.model import (
    Context,
    EventType,
    Preferences,
    Product,
    ProductChange,
    Recommendation,
    RecommendQuery,
    SessionStep,
    Strategy,
)
from reco_svc.domain.pipeline import Pipeline, default_pipeline
from reco_svc.domain.ports import HourlyCount
from reco_svc.domain.snapshot import Graph, SessionIndex, Snapshot
from reco_svc.service.live_state import LiveState
from tests.support.reco_fakes import NOON, product, snapshot_of

TITLES = ("Red mug", "Blue mug", "Tea cup", "Iron pot", "Frying pan", "Cake tin")
SHOP = [
    product(f"p{n}", title=title, categories=("Kitchen",), created_at=NOON - timedelta(days=10 + n))
    for n, title in enumerate(TITLES)
]
HOUR = int(NOON.timestamp()) // 3600


def trained(*products: Product) -> Snapshot:
    """p0 is bought with p3 and viewed with p4; sessions go p0, p2 and p0, p5; p1 is like p0."""
    n = len(products)
    one_edge = np.array([0] + [1] * n, np.int64)
    vectors = np.eye(n, 8, dtype=np.float32)
    vectors[1] = (0.9 * vectors[0] + 0.1 * vectors[1]) / np.linalg.norm(0.9 * vectors[0] + 0.1 * vectors[1])
    return replace(
        snapshot_of(*products, dim=8),
        vectors=vectors,
        bought=Graph(one_edge, np.array([3], np.int32), np.ones(1, np.float32)),
        viewed=Graph(one_edge, np.array([4], np.int32), np.ones(1, np.float32)),
        sessions=SessionIndex(
            np.array([0, 2, 4], np.int64),
            np.array([0, 2, 0, 5], np.int32),
            np.array([0, 2, 2, 3, 3, 3, 4], np.int64),
            np.array([1, 0, 0, 1], np.int32),
            np.array([0.1, 0, 0.7, 0, 0, 0.9], np.float32),
        ),
    )


@pytest.fixture
def live() -> LiveState:
    live = LiveState(warm_up=lambda view: default_pipeline().warm_up(view, NOON))
    live.swap(trained(*SHOP))
    views = [HourlyCount(f"p{n}", EventType.VIEW_ITEM, HOUR, 10 - n, n + 1) for n in range(len(SHOP))]
    live.apply_counts(views)
    return live


def ask(live: LiveState, query: RecommendQuery, preferences: Preferences | None = None) -> Recommendation:
    return default_pipeline().answer(live.view(), query, (), (), preferences, now=NOON, recommendation_id="r")


@pytest.mark.parametrize(
    ("strategy", "first", "reason"),
    [
        (Strategy.SIMILAR, "p1", "similar_to:p0"),
        (Strategy.BOUGHT_TOGETHER, "p3", "bought_with:p0"),
        (Strategy.VIEWED_TOGETHER, "p4", "viewed_with:p0"),
        (Strategy.SESSION, "p5", "session_after:p0"),
        (Strategy.PERSONAL, "p1", "fits_taste"),
        (Strategy.POPULAR, "p1", "popular"),
        (Strategy.NEW, "p1", "new"),
    ],
)
def test_each_strategy_answers_from_its_own_source_and_fills_the_list(
    live: LiveState, strategy: Strategy, first: str, reason: str
):
    answer = ask(live, RecommendQuery(strategy=strategy, context=Context("p0"), limit=5))
    assert (answer.items[0].product_id, answer.items[0].reasons) == (first, (reason,))
    assert sorted(item.product_id for item in answer.items) == ["p1", "p2", "p3", "p4", "p5"]
    assert answer.model_version == "m1"


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_fills_the_list_for_a_stranger_with_and_without_a_model(live: LiveState, strategy: Strategy):
    cold = LiveState()
    cold.apply_products([ProductChange(n, p.product_id, p) for n, p in enumerate(SHOP, start=1)])
    for state in (live, cold):
        assert len(ask(state, RecommendQuery(strategy=strategy)).items) == len(SHOP)


def test_auto_blends_what_the_sources_say(live: LiveState):
    answer = ask(live, RecommendQuery(context=Context("p0"), explain=True))
    sources = {item.product_id: item.reasons for item in answer.items}
    assert "bought_with:p0" in sources["p3"]
    assert "similar_to:p0" in sources["p1"]
    assert answer.fallback_level == 0


def test_sources_without_weight_are_not_asked_but_still_have_an_opinion(live: LiveState):
    weights = BlendWeights({"auto": [{"similar": 1.0}] * len(CONTEXT_SIZES)}, {})
    live.swap(replace(trained(*SHOP), blend=weights))
    query = RecommendQuery(context=Context("p0"), limit=1)
    answer = ask(live, query)
    assert answer.items[0].source == "similar"
    found = default_pipeline().explain(live.view(), query, (), (), None, answer, "p3")
    assert "bought_together" in {opinion.source for opinion in found.opinions}


def test_a_search_is_answered_by_meaning(live: LiveState):
    answer = ask(live, RecommendQuery(strategy=Strategy.SIMILAR, context=Context(query="Pot"), limit=1))
    assert (answer.items[0].product_id, answer.items[0].reasons) == ("p2", ("matches_query",))
    assert ask(live, RecommendQuery(strategy=Strategy.SIMILAR, context=Context(query="zzz"), limit=1)).items


def test_a_product_added_a_second_ago_is_recommended_by_its_stand_in(live: LiveState):
    live.apply_products([ProductChange(20, "new", product("new", title="Mug", created_at=NOON))])
    answer = ask(live, RecommendQuery(strategy=Strategy.SIMILAR, context=Context("new"), limit=2))
    assert [item.product_id for item in answer.items] == ["p0", "p1"]
    answer = ask(live, RecommendQuery(strategy=Strategy.SIMILAR, context=Context("p0"), limit=1))
    assert answer.items[0].product_id == "new"
    assert ask(live, RecommendQuery(strategy=Strategy.NEW, limit=1)).items[0].product_id == "new"


def test_a_deleted_product_is_gone_from_every_strategy(live: LiveState):
    live.apply_products([ProductChange(20, "p1", None)])
    for strategy in Strategy:
        answer = ask(live, RecommendQuery(strategy=strategy, context=Context("p0")))
        assert "p1" not in {item.product_id for item in answer.items}


def test_stated_taste_speaks_before_anything_was_clicked(live: LiveState):
    live.apply_products([ProductChange(20, "toy", product("toy", categories=("Toys > Cars",)))])
    preferences = Preferences("v", categories=("toys",))
    answer = ask(live, RecommendQuery(strategy=Strategy.PERSONAL, limit=1), preferences)
    assert (answer.items[0].product_id, answer.items[0].source) == ("toy", "personal")


def test_a_click_moves_the_next_answer(live: LiveState):
    pipeline: Pipeline = default_pipeline()
    query = RecommendQuery(strategy=Strategy.SESSION, visitor_id="v", limit=2)
    before = pipeline.answer(live.view(), query, (), (), None, now=NOON, recommendation_id="r")
    steps = [SessionStep("p2", EventType.VIEW_ITEM, NOON)]
    after = pipeline.answer(live.view(), query, steps, (), None, now=NOON, recommendation_id="r")
    assert before.items != after.items
    assert after.items[0].reasons == ("session_after:p2",)
