"""Lists of unlike products: variants, near-duplicates, diversity, reach and novelty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reco_svc.domain.model import (
    Context,
    EventType,
    Strategy,
)
from reco_svc.domain.ports import HourlyCount
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import Place, Reach
from reco_svc.domain.view import View
from tests.support.reco_fakes import FakeSource, pipeline_of, product, snapshot_of, view_of
from tests.unit.reco_svc.domain.test_pipeline import SCORES, SHOP, STRAIGHT, ask, ids


def with_twins(codes: list[int]) -> View:
    snapshot = replace(snapshot_of(*SHOP), twins=np.array(codes, np.int32))
    return replace(view_of(*SHOP), snapshot=snapshot)


def test_one_variant_of_a_group_is_shown_and_none_of_the_product_on_the_page():
    variants = [product(id_, group_id="mug") for id_ in ("a", "b")] + [product(i, group_id="cup") for i in ("c", "d")]
    source = FakeSource("own", {"b": 4.0, "a": 3.0, "d": 2.0, "c": 1.0})
    view = view_of(*variants, product("e"))
    assert ids(ask(pipeline_of(source), view)) == ["b", "d", "e"]
    assert ids(ask(pipeline_of(source), view, replace(STRAIGHT, context=Context("a")))) == ["d", "e"]


def test_diversity_prefers_what_is_unlike_the_picks_before():
    shop = [product(f"p{n}") for n in range(5)]  # p0 and p4 have the same vector
    source = FakeSource("own", {"p0": 5.0, "p4": 4.9, "p1": 4.0, "p2": 3.0})
    assert ids(ask(pipeline_of(source), view_of(*shop), replace(STRAIGHT, limit=2, diversity=0.0))) == ["p0", "p4"]
    assert ids(ask(pipeline_of(source), view_of(*shop), replace(STRAIGHT, limit=2, diversity=0.7))) == ["p0", "p1"]


def with_reach(place: Place) -> View:
    """A shop of 14 of which all but p12 are shown by 99 lists."""
    shop = [product(f"p{n}") for n in range(14)]
    shown = np.where(np.arange(14) == 12, 0, 99).astype(np.int32)
    reach = Reach(np.tile(shown, (len(Kind), 1)), {"auto": place})
    return replace(view_of(*shop), snapshot=replace(snapshot_of(*shop), reach=reach))


def test_what_few_lists_show_has_one_of_ten_places_unless_the_caller_says_how_varied_the_list_is_to_be():
    source = FakeSource("own", {f"p{n}": 20.0 - n / 10 for n in range(1, 14)})
    asked, view = replace(STRAIGHT, strategy=Strategy.AUTO, context=Context(), limit=10), with_reach(Place(1, 13))
    assert ids(ask(pipeline_of(source), view, asked)) == [*(f"p{n}" for n in range(1, 10)), "p12"]
    assert ids(ask(pipeline_of(source), view, replace(asked, diversity=0.0)))[9] == "p10"
    assert ids(ask(pipeline_of(source), view, replace(asked, limit=9)))[8] == "p9"  # not ten


def test_what_few_lists_show_counts_for_more():
    source = FakeSource("own", {f"p{n}": 20.0 - n / 10 for n in range(1, 14)})
    asked = replace(STRAIGHT, strategy=Strategy.AUTO, context=Context(), limit=3, diversity=0.0)
    assert ids(ask(pipeline_of(source), with_reach(Place(0, 10, 0.2)), asked)) == ["p12", "p1", "p2"]


def test_novelty_prefers_what_is_rare():
    view = view_of(*SHOP)
    counts = [HourlyCount(f"p{n}", EventType.PURCHASE, 1, 10 ** (4 - n), 1) for n in range(1, 5)]
    view.popularity.apply(counts, view.products.row)
    source = FakeSource("own", {"p1": 4.0, "p2": 3.0, "p3": 2.0, "p4": 1.0})
    for novelty, best in ((None, "p1"), (0.0, "p1"), (1.0, "p4")):
        asked = replace(STRAIGHT, context=Context(), limit=2, diversity=0.0, novelty=novelty)
        answer = ask(pipeline_of(source), view, asked)
        assert ids(answer)[0] == best
        assert answer.items[0].score >= answer.items[1].score


class TestNearDuplicates:
    """p1, p2 and p3 are one product under three ids, without a group."""

    view = with_twins([-1, 1, 1, 1, -1, -1])
    pipeline = pipeline_of(FakeSource("own", SCORES))
    query = replace(STRAIGHT, limit=3, diversity=0.0)

    def test_a_list_has_one_of_them_while_there_is_anything_else(self):
        assert ids(ask(self.pipeline, self.view, self.query)) == ["p1", "p4", "p0"]

    def test_they_come_back_before_a_list_is_short(self):
        assert len(ask(self.pipeline, self.view, replace(self.query, limit=6)).items) == 6

    def test_the_page_and_the_basket_count(self):
        for context in (Context("p3"), Context(basket=("p3",))):
            answer = ask(self.pipeline, self.view, replace(self.query, limit=1, context=context))
            assert ids(answer) == ["p4"]

    def test_a_fallback_does_not_bring_one_in(self):
        pipeline = pipeline_of(FakeSource("own", {"p1": 1.0}), fallbacks=[FakeSource("next", {"p2": 9.0, "p5": 1.0})])
        assert ids(ask(pipeline, self.view, replace(self.query, limit=2))) == ["p1", "p5"]

    def test_the_explanation_names_the_one_that_is_shown(self):
        answer = ask(self.pipeline, self.view, self.query)
        found = self.pipeline.explain(self.view, self.query, (), (), None, answer, "p2")
        assert (found.position, found.removed_by) == (0, "near_duplicate:p1")

    def test_products_that_came_after_the_snapshot_are_none(self):
        assert ids(ask(self.pipeline, with_twins([-1, 1]), self.query)) == ["p1", "p2", "p3"]
