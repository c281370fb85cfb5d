from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from meshkit.errors import InvalidArgument, NotFound, RecomeshError, Unavailable
from reco_svc.domain.model import EventType, Preferences, ProductChange, Recommendation, RecommendQuery, SessionStep
from reco_svc.service.explain import ExplainRecommendation, ReplayRecommendation
from reco_svc.service.live_state import LiveState
from reco_svc.service.purchase_memory import PurchaseMemory
from reco_svc.service.recommend import Recommend
from reco_svc.service.recommendation_log import RecommendationLog
from tests.support.reco_fakes import NOON, FakeSessionStore, FakeSource, pipeline_of, product

VISITOR = RecommendQuery(visitor_id="v")


class Shop:
    """A recommender over five products, with everything it is made of at hand."""

    def __init__(self, log_size: int = 10) -> None:
        self.live, self.sessions, self.purchases = LiveState(dim=4), FakeSessionStore(), PurchaseMemory()
        self.live.apply_products([ProductChange(1, f"p{n}", product(f"p{n}")) for n in range(5)])
        self.log = RecommendationLog(log_size)
        self.source = FakeSource("own", {f"p{n}": 1.0 + n for n in range(5)})
        self.pipeline = pipeline_of(self.source)
        self.ready = True
        numbers = count(1)
        self.use_case = Recommend(
            self.live,
            self.sessions,
            self.purchases,
            self.log,
            ready=lambda: self.ready,
            pipeline=self.pipeline,
            clock=lambda: NOON,
            new_id=lambda: f"r{next(numbers)}",
        )

    def recommend(self, query: RecommendQuery) -> Recommendation:
        return asyncio.run(self.use_case(query))

    def recommend_many(self, *queries: RecommendQuery) -> list[Recommendation | RecomeshError]:
        return asyncio.run(self.use_case.many(queries))


def ids(answer: Recommendation) -> list[str]:
    return [item.product_id for item in answer.items]


def test_an_answer_has_an_id_and_a_time():
    answer = Shop().recommend(RecommendQuery())
    assert (answer.recommendation_id, answer.generated_at, answer.degraded) == ("r1", NOON, False)
    assert ids(answer) == ["p4", "p3", "p2", "p1", "p0"]


def test_nothing_is_answered_while_there_is_nothing_to_answer_from():
    shop = Shop()
    shop.ready = False
    with pytest.raises(Unavailable, match="still loading"):
        shop.recommend(RecommendQuery())


def test_the_next_answer_reacts_to_the_click_just_sent():
    shop = Shop()
    shop.sessions.append({"v": [SessionStep("p4", EventType.ADD_TO_CART, NOON)]}, NOON)
    assert ids(shop.recommend(VISITOR))[0] == "p3"
    assert shop.source.questions[-1].session_rows.tolist() == [4]


def test_older_purchases_are_left_out_once_they_are_in_memory():
    shop = Shop()
    assert ids(shop.recommend(VISITOR))[0] == "p4"
    assert shop.purchases.wanted() == ["v"]
    shop.purchases.loaded("v", ["p4"], NOON)
    assert ids(shop.recommend(VISITOR))[0] == "p3"
    assert shop.purchases.wanted() == []


def test_nothing_is_looked_up_for_a_visitor_who_opted_out_or_is_not_named():
    shop = Shop()
    shop.live.apply_preferences([("v", Preferences("v", opted_out=True))])
    shop.sessions.away = True
    shop.purchases.loaded("v", ["p4"], NOON)
    assert ids(shop.recommend(VISITOR))[0] == "p4"
    assert not shop.recommend(VISITOR).degraded
    assert not shop.recommend(RecommendQuery()).degraded
    assert shop.log.get("r1").session == ()


def test_a_session_store_that_is_away_makes_a_degraded_answer():
    shop = Shop()
    shop.sessions.away = True
    answer = shop.recommend(replace(VISITOR, session=(SessionStep("p4"),)))
    assert answer.degraded
    assert shop.source.questions[-1].session_rows.tolist() == [4]


def test_a_batch_has_an_answer_or_an_error_for_each():
    good, bad = RecommendQuery(limit=1), RecommendQuery(filter="price <")
    first, second, third = Shop().recommend_many(good, bad, good)
    assert isinstance(first, Recommendation)
    assert isinstance(second, InvalidArgument)
    assert isinstance(third, Recommendation)
    assert first.recommendation_id != third.recommendation_id


def test_the_same_answer_again_even_after_the_catalog_changed():
    shop = Shop()
    query = replace(VISITOR, limit=3)
    answer = shop.recommend(query)
    shop.live.apply_products([ProductChange(2, "p4", None)])
    assert ReplayRecommendation(shop.log)("r1") == (query, answer)


def test_an_answer_is_explained_from_what_was_known_then():
    shop = Shop()
    shop.sessions.append({"v": [SessionStep("p4", EventType.PURCHASE, NOON)]}, NOON)
    shop.recommend(replace(VISITOR, limit=2))
    shop.sessions.erase("v")
    explain = ExplainRecommendation(shop.live, shop.log, pipeline=shop.pipeline)
    assert explain("r1", "p4").removed_by == "never_show:purchased"
    assert explain("r1", "p3").position == 1
    assert explain("r1", "p0").removed_by == "below_limit"
    shop.live.apply_products([ProductChange(2, "p2", None)])
    assert explain("r1", "p2").position == 2


def test_answers_leave_the_log_when_it_is_full_when_erased_or_when_it_keeps_none():
    shop = Shop(log_size=2)
    for visitor_id in ("v", "w", "v"):
        shop.recommend(RecommendQuery(visitor_id=visitor_id))
    assert [entry.answer.recommendation_id for entry in shop.log.newest(5)] == ["r3", "r2"]
    assert shop.log.erase("v") == 1
    for recommendation_id in ("r1", "r3", "never"):
        with pytest.raises(NotFound) as caught:
            ReplayRecommendation(shop.log)(recommendation_id)
        assert caught.value.reason == "RECOMMENDATION_NOT_FOUND"
    shop = Shop(log_size=0)
    shop.recommend(RecommendQuery())
    assert len(shop.log) == 0


def test_a_purchase_memory_is_bounded_refreshed_and_forgets():
    memory = PurchaseMemory(visitors=2, refresh_after=timedelta(minutes=15))
    for visitor_id in ("a", "b", "c"):
        memory.loaded(visitor_id, ["p1"], NOON)
    assert len(memory) == 2
    assert memory.recent("a", NOON) == ()
    assert memory.recent("b", NOON + timedelta(minutes=16)) == ("p1",)
    assert memory.wanted(limit=1) == ["b"]
    memory.forget("a")
    memory.forget("c")
    assert memory.wanted() == []
    assert memory.recent("c", NOON) == ()


def test_the_sessions_of_a_batch_are_read_at_once():
    shop = Shop()
    shop.sessions.append({"v": [SessionStep("p4", EventType.ADD_TO_CART, NOON)]}, NOON)

    mine, other, nobody = shop.recommend_many(VISITOR, RecommendQuery(visitor_id="w"), RecommendQuery())

    assert [ids(answer)[0] for answer in (mine, other, nobody)] == ["p3", "p4", "p4"]
    assert shop.sessions.reads == 1
