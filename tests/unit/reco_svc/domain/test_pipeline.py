from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from meshkit.errors import InvalidArgument
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.model import (
    Availability,
    Boost,
    Context,
    EventType,
    Preferences,
    RankedItem,
    Recommendation,
    RecommendQuery,
    Rule,
    RuleKind,
    RuleSet,
    SessionStep,
    Strategy,
    Target,
    TargetKind,
)
from reco_svc.domain.pipeline import Pipeline
from reco_svc.domain.ports import Mask
from reco_svc.domain.question import Question
from reco_svc.domain.view import View
from tests.support.reco_fakes import NOON, FakeSource, pipeline_of, product, view_of

SHOP = tuple(product(f"p{n}", categories=("Home",), price=float(n)) for n in range(6))
SCORES = {"p1": 5.0, "p2": 4.0, "p3": 3.0, "p4": 2.0}
STRAIGHT = RecommendQuery(strategy=Strategy.SIMILAR)


def ask(
    pipeline: Pipeline,
    view: View,
    query: RecommendQuery = STRAIGHT,
    *,
    session: tuple[SessionStep, ...] = (),
    history: tuple[str, ...] = (),
    preferences: Preferences | None = None,
) -> Recommendation:
    return pipeline.answer(view, query, session, history, preferences, now=NOON, recommendation_id="r1")


def ids(answer: Recommendation) -> list[str]:
    return [item.product_id for item in answer.items]


def rule(kind: RuleKind, value: str, target: TargetKind = TargetKind.PRODUCT, **facts: object) -> Rule:
    return Rule(**{"rule_id": "7", "kind": kind, "target": Target(target, value), **facts})  # type: ignore[arg-type]


def with_rules(*rules: Rule) -> View:
    return view_of(*SHOP, rules=RuleSet("v3", rules))


def test_items_come_best_first_with_positions_source_and_reason():
    source = FakeSource("similar", SCORES, reason="similar_to", evidence="p0")
    answer = ask(pipeline_of(source), view_of(*SHOP), replace(STRAIGHT, limit=2))
    assert answer.items == (
        RankedItem("p1", 1, answer.items[0].score, "similar", ("similar_to:p0",)),
        RankedItem("p2", 2, answer.items[1].score, "similar", ("similar_to:p0",)),
    )
    assert answer.items[0].score > answer.items[1].score
    assert (answer.fallback_level, answer.model_version, answer.generated_at) == (0, "", NOON)


def test_a_short_list_is_filled_by_the_chain_and_then_by_the_catalog():
    pipeline = pipeline_of(FakeSource("own", {"p3": 1.0}), fallbacks=[FakeSource("next", {"p3": 9.0, "p1": 8.0})])
    answer = ask(pipeline, view_of(*SHOP), replace(STRAIGHT, limit=2))
    assert (ids(answer), answer.fallback_level) == (["p3", "p1"], 1)
    answer = ask(pipeline, view_of(*SHOP), replace(STRAIGHT, limit=4))
    assert (ids(answer), answer.fallback_level) == (["p3", "p1", "p0", "p2"], 2)
    assert answer.items[-1].source == "catalog"
    assert answer.items[-1].reasons == ("in_catalog",)
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)


def test_a_list_is_short_only_when_the_filter_leaves_fewer():
    answer = ask(pipeline_of(FakeSource("own", SCORES)), view_of(*SHOP), replace(STRAIGHT, filter="price < 2"))
    assert ids(answer) == ["p1", "p0"]


def test_an_empty_catalog_gives_an_empty_list():
    answer = ask(pipeline_of(FakeSource("own", {})), view_of(), replace(STRAIGHT, context=Context("gone")))
    assert (answer.items, answer.unknown_ids) == ((), ("gone",))


def test_a_wrong_filter_points_at_the_column():
    with pytest.raises(InvalidArgument, match="column 8"):
        ask(pipeline_of(FakeSource("own", {})), view_of(*SHOP), replace(STRAIGHT, filter="price <"))
    boost = Boost(Target(TargetKind.FILTER, "nonsense ="), 2.0)
    with pytest.raises(InvalidArgument) as caught:
        ask(pipeline_of(FakeSource("own", {})), view_of(*SHOP), replace(STRAIGHT, boosts=(boost,)))
    assert caught.value.violations[0].field == "boosts[0].filter"


def test_unknown_products_of_the_context_are_reported_once_and_ignored():
    context = Context(product_id="x", basket=("y", "p1", "x"))
    query = replace(STRAIGHT, context=context, session=(SessionStep("z"), SessionStep("y")), exclude=("unheard",))
    answer = ask(pipeline_of(FakeSource("own", SCORES)), view_of(*SHOP), query)
    assert answer.unknown_ids == ("x", "y", "z")
    assert "p1" not in ids(answer)


def test_what_is_in_the_basket_by_events_is_not_recommended():
    cart = (SessionStep("p1", EventType.ADD_TO_CART), SessionStep("p2", EventType.ADD_TO_CART))
    taken_out = (*cart, SessionStep("p2", EventType.REMOVE_FROM_CART))
    pipeline, view = pipeline_of(FakeSource("own", SCORES)), view_of(*SHOP)
    assert ids(ask(pipeline, view, session=cart))[:2] == ["p3", "p4"]
    assert ids(ask(pipeline, view, session=taken_out))[:2] == ["p2", "p3"]


def test_purchases_are_left_out_unless_asked_for():
    pipeline, view = pipeline_of(FakeSource("own", SCORES)), view_of(*SHOP)
    bought = (SessionStep("p2", EventType.PURCHASE),)
    assert ids(ask(pipeline, view, session=bought, history=("p1",)))[0] == "p3"
    query = replace(STRAIGHT, include=frozenset({"purchased"}))
    assert ids(ask(pipeline, view, query, session=bought, history=("p1",)))[:2] == ["p1", "p2"]
    refunded = (*bought, SessionStep("p2", EventType.REFUND))
    assert ids(ask(pipeline, view, session=refunded))[:2] == ["p1", "p2"]


def test_a_visitor_who_opted_out_is_answered_like_a_stranger():
    source = FakeSource("own", SCORES)
    query = replace(STRAIGHT, visitor_id="v", session=(SessionStep("p4"),), context=Context("p0"))
    preferences = Preferences("v", excluded_categories=("Home",), opted_out=True)
    session = (SessionStep("p1", EventType.PURCHASE),)
    answer = ask(pipeline_of(source), view_of(*SHOP), query, session=session, history=("p2",), preferences=preferences)
    assert ids(answer) == ["p1", "p2", "p3", "p4", "p5"]
    question = source.questions[0]
    assert not len(question.session_rows)
    assert not len(question.history_rows)
    assert question.preferences is None
    assert question.anchor == 0


def test_excluded_categories_are_never_shown():
    shop = (*SHOP, product("p9", categories=("Toys", "Home > Kitchen")))
    source = FakeSource("own", {**SCORES, "p9": 9.0})
    preferences = Preferences("v", excluded_categories=("HOME > Kitchen",))
    assert ids(ask(pipeline_of(source), view_of(*shop), preferences=preferences))[0] == "p1"


def test_a_step_that_caller_and_mesh_both_know_counts_once():
    source = FakeSource("own", SCORES)
    sent = (SessionStep("p1"), SessionStep("p2"), SessionStep("p3", EventType.IMPRESSION))
    known = (SessionStep("p0", at=NOON - timedelta(minutes=2)), SessionStep("p1", at=NOON - timedelta(minutes=1)))
    ask(pipeline_of(source), view_of(*SHOP), replace(STRAIGHT, session=sent), session=known)
    question = source.questions[0]
    assert question.session_rows.tolist() == [0, 1, 2]
    assert question.session_ages_s == [120.0, 60.0, 0.0]


def test_boosts_multiply_scores():
    boosts = (Boost(Target(TargetKind.FILTER, "price >= 4"), 10.0), Boost(Target(TargetKind.PRODUCT, "p3"), 5.0))
    answer = ask(pipeline_of(FakeSource("own", SCORES)), view_of(*SHOP), replace(STRAIGHT, boosts=boosts, limit=3))
    assert ids(answer) == ["p4", "p3", "p1"]


def test_a_leaderboard_stays_in_the_category_of_the_page():
    shop = (*SHOP, product("q1", categories=("Toys",)))
    query = RecommendQuery(strategy=Strategy.POPULAR, context=Context(category="toys"))
    answer = ask(pipeline_of(FakeSource("popular", SCORES, reason="popular_in")), view_of(*shop), query)
    assert ids(answer) == ["q1"]
    query = replace(query, context=Context(category="home"))
    answer = ask(pipeline_of(FakeSource("popular", SCORES, reason="popular_in")), view_of(*shop), query)
    assert ids(answer) == ["p1", "p2", "p3", "p4", "p0", "p5"]
    assert answer.items[0].reasons == ("popular_in:home",)


def test_other_strategies_leave_the_category_of_the_page_to_fill_the_list():
    shop = (*SHOP, product("q1", categories=("Toys",)))
    query = replace(STRAIGHT, context=Context(category="toys"))
    answer = ask(pipeline_of(FakeSource("own", {"q1": 1.0})), view_of(*shop), query)
    assert len(answer.items) == 7


def test_a_pin_stands_at_its_position_and_says_which_rule_put_it_there():
    view = with_rules(rule(RuleKind.PIN, "p5", position=2))
    answer = ask(pipeline_of(FakeSource("own", SCORES)), view, replace(STRAIGHT, limit=3))
    assert ids(answer) == ["p1", "p5", "p2"]
    assert answer.items[1].reasons == ("pinned_by:7",)
    assert answer.items[1].source == "rule"
    assert answer.rules_version == "v3"


def test_a_contested_pin_goes_to_the_lower_priority():
    first = rule(RuleKind.PIN, "p4", rule_id="b", priority=1)
    second = rule(RuleKind.PIN, "p5", rule_id="a", priority=2)
    view = with_rules(second, first)
    assert ids(ask(pipeline_of(FakeSource("own", SCORES)), view, replace(STRAIGHT, limit=2))) == ["p4", "p1"]


def test_a_pin_past_the_end_of_a_short_list_comes_last():
    view = with_rules(rule(RuleKind.PIN, "p5", position=9))
    answer = ask(pipeline_of(FakeSource("own", SCORES)), view, replace(STRAIGHT, filter="price > 3"))
    assert ids(answer) == ["p4", "p5"]


def test_a_pinned_product_that_must_not_be_shown_is_not():
    view = with_rules(rule(RuleKind.PIN, "p5"))
    query = replace(STRAIGHT, exclude=("p5",))
    assert "p5" not in ids(ask(pipeline_of(FakeSource("own", SCORES)), view, query))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule(RuleKind.EXCLUDE, "p1")], ["p2", "p3"]),
        ([rule(RuleKind.EXCLUDE, "price < 3", TargetKind.FILTER)], ["p3", "p4"]),
        ([rule(RuleKind.BURY, "p1", factor=100.0)], ["p2", "p3"]),
        ([rule(RuleKind.BOOST, "p4", factor=100.0)], ["p4", "p1"]),
        ([rule(RuleKind.EXCLUDE, "p1", placement="home")], ["p1", "p2"]),
        ([rule(RuleKind.EXCLUDE, "p1", segment="vip")], ["p1", "p2"]),
        ([rule(RuleKind.EXCLUDE, "p1", segment="new")], ["p2", "p3"]),
        ([rule(RuleKind.EXCLUDE, "p1", starts_at=NOON + timedelta(seconds=1))], ["p1", "p2"]),
        ([rule(RuleKind.EXCLUDE, "p1", ends_at=NOON)], ["p1", "p2"]),
        ([rule(RuleKind.EXCLUDE, "p1", starts_at=NOON, ends_at=NOON + timedelta(seconds=1))], ["p2", "p3"]),
        ([rule(RuleKind.EXCLUDE, "", TargetKind.FILTER)], ["p1", "p2"]),
        ([rule(RuleKind.EXCLUDE, "no such =", TargetKind.FILTER)], ["p1", "p2"]),
        ([rule(RuleKind.EXCLUDE, "", TargetKind.BRAND), rule(RuleKind.EXCLUDE, " ", TargetKind.TAG)], ["p1", "p2"]),
    ],
)
def test_rules_hold_where_when_and_for_whom_they_say(rules: list[Rule], expected: list[str]):
    query = replace(STRAIGHT, placement="product", limit=2)
    preferences = Preferences("v", segments=("new",))
    answer = ask(pipeline_of(FakeSource("own", SCORES)), with_rules(*rules), query, preferences=preferences)
    assert ids(answer) == expected


def test_rules_aim_at_brand_tag_and_category():
    shop = [
        product("a", brand="ACME"),
        product("b", tags=("Sale",)),
        product("c", categories=("Home > Kitchen",)),
        product("d"),
    ]
    rules = RuleSet(
        "1",
        (
            rule(RuleKind.EXCLUDE, "acme", TargetKind.BRAND),
            rule(RuleKind.EXCLUDE, "sale", TargetKind.TAG),
            rule(RuleKind.EXCLUDE, "home", TargetKind.CATEGORY),
        ),
    )
    assert ids(ask(pipeline_of(FakeSource("own", {})), view_of(*shop, rules=rules))) == ["d"]


def test_explain_adds_the_reasons_of_every_source_and_of_boosts():
    sources = [FakeSource("own", SCORES, evidence="p0"), FakeSource("other", {"p1": 1.0, "p2": 9.0})]
    view = with_rules(rule(RuleKind.BOOST, "p1", factor=9.0))
    plain = ask(pipeline_of(*sources), view).items[0]
    full = ask(pipeline_of(*sources), view, replace(STRAIGHT, explain=True)).items[0]
    assert plain.reasons == ("own_says:p0",)
    assert full.reasons == ("own_says:p0", "other_says", "boosted_by:7")


def test_a_source_that_proposes_what_is_not_allowed_is_not_believed():
    class Careless(FakeSource):
        def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
            return super().propose(view, question, k, allowed | True)

    view = view_of(*SHOP, product("gone", hidden=True))
    own, chain = Careless("own", {"gone": 9.0, "p1": 1.0}), Careless("next", {"gone": 9.0, "p2": 1.0})
    pipeline = pipeline_of(own, fallbacks=[chain])
    assert ids(ask(pipeline, view, replace(STRAIGHT, limit=3))) == ["p1", "p2", "p0"]
    assert not pipeline.caught


def test_the_last_check_catches_and_counts_what_a_stale_mask_lets_through(monkeypatch: pytest.MonkeyPatch):
    shop = (*SHOP, product("gone", hidden=True), product("sold", availability=Availability.OUT_OF_STOCK))
    view = view_of(*shop, rules=RuleSet("1", (rule(RuleKind.PIN, "gone"),)))
    stale = np.ones(len(shop), bool)
    monkeypatch.setattr(view.products, "visible", lambda now_s, include: stale)
    pipeline = pipeline_of(FakeSource("own", {"sold": 8.0, **SCORES}))
    assert ids(ask(pipeline, view, replace(STRAIGHT, limit=3))) == ["p1", "p2", "p3"]
    assert pipeline.caught == {"hidden": 1, "out_of_stock": 1}


class TestExplanation:
    view = view_of(
        *SHOP,
        product("v1", group_id="g"),
        product("v2", group_id="g"),
        product("sold", availability=Availability.OUT_OF_STOCK),
        rules=RuleSet("1", (rule(RuleKind.EXCLUDE, "p4"),)),
    )
    pipeline = pipeline_of(FakeSource("own", {**SCORES, "v1": 9.0, "v2": 8.0, "sold": 7.0}))
    query = RecommendQuery(
        strategy=Strategy.SIMILAR, limit=2, filter="NOT price > 4.5", context=Context("p0"), diversity=0.0
    )

    def explained(self, product_id: str) -> tuple[int, str, list[tuple[str, float, int]]]:
        answer = ask(self.pipeline, self.view, self.query)
        found = self.pipeline.explain(self.view, self.query, (), (), None, answer, product_id)
        return found.position, found.removed_by, [(o.source, o.score, o.rank) for o in found.opinions]

    def test_a_shown_product_has_its_position_and_opinions(self):
        assert self.explained("p1") == (2, "", [("own", 5.0, 3)])

    @pytest.mark.parametrize(
        ("product_id", "removed_by"),
        [
            ("nobody", "never_show:unknown"),
            ("sold", "never_show:out_of_stock"),
            ("p0", "never_show:on_page"),
            ("v2", "never_show:variant"),
            ("p4", "rule:7"),
            ("p5", "filter"),
            ("p2", "below_limit"),
        ],
    )
    def test_the_step_that_removed_a_product_is_named(self, product_id: str, removed_by: str):
        assert self.explained(product_id)[:2] == (0, removed_by)

    def test_a_removed_product_still_has_the_opinion_of_its_source(self):
        assert self.explained("sold")[2] == [("own", 7.0, 3)]

    def test_a_product_that_nobody_proposed_is_told_so(self):
        view = view_of(*SHOP)
        answer = ask(self.pipeline, view, self.query)
        found = self.pipeline.explain(view, replace(self.query, filter=""), (), (), None, answer, "p5")
        assert found.removed_by == "not_proposed"

    def test_what_the_fallback_chain_brought_in_says_so_and_by_which_source(self):
        chain = FakeSource("next", {"p5": 9.0}, reason="popular_in")
        pipeline = pipeline_of(FakeSource("own", {"p1": 1.0}), fallbacks=[chain])
        query = replace(STRAIGHT, limit=3)
        answer = ask(pipeline, view_of(*SHOP), query)
        assert [item.fallback_level for item in answer.items] == [0, 1, 2]

        def told(product_id: str) -> tuple[tuple[str, ...], list[str]]:
            found = pipeline.explain(view_of(*SHOP), query, (), (), None, answer, product_id)
            return found.reasons, [opinion.source for opinion in found.opinions]

        assert told("p1") == (answer.items[0].reasons, ["own"])
        assert told("p5") == (("popular", "fallback:next"), ["next"])
        assert told("p0") == (("in_catalog", "fallback:catalog"), [])
