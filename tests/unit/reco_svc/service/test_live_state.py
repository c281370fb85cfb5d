from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.model import (
    EventType,
    Preferences,
    Product,
    ProductChange,
    Rule,
    RuleKind,
    RuleSet,
    Target,
    TargetKind,
)
from reco_svc.domain.ports import HourlyCount
from reco_svc.domain.product_text import product_text, text_hash
from reco_svc.domain.view import View
from reco_svc.service.live_state import LiveState
from reco_svc.service.pending_texts import PendingTexts
from reco_svc.service.waiting_counts import WaitingCounts
from tests.support.reco_fakes import NOON, FakeSource, pipeline_of, product, snapshot_of

HOUR = int(NOON.timestamp()) // 3600


def changed(revision: int, *products: Product) -> list[ProductChange]:
    return [ProductChange(revision, p.product_id, replace(p, revision=revision)) for p in products]


def count(product_id: str, events: int, revision: int) -> HourlyCount:
    return HourlyCount(product_id, EventType.VIEW_ITEM, HOUR, events, revision)


def hash_of(product: Product) -> str:
    return text_hash(product_text(product))


def order(live: LiveState) -> list[str]:
    return list(live.view().products.ids)


def popular(live: LiveState) -> list[float]:
    view = live.view()
    return view.popularity.popular(len(view.products), NOON.timestamp()).round(3).tolist()


def vector(*numbers: float) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(numbers, np.float32)


def test_a_new_state_answers_from_nothing():
    view = LiveState().view()
    assert len(view.products) == 0
    assert view.snapshot is None
    assert view.rules.version == "0"


def test_products_are_there_without_a_model():
    live = LiveState(dim=4)
    live.apply_products(changed(3, product("b"), product("a")))
    assert order(live) == ["b", "a"]
    assert live.catalog_revision == 3
    assert live.knows_product("a")
    assert not live.knows_product("x")


def test_a_new_product_gets_a_stand_in_at_once_and_its_own_vector_when_it_arrives():
    live = LiveState()
    live.swap(snapshot_of(product("a")))
    mug = product("new", title="Mug")
    live.apply_products(changed(11, mug))
    row = live.view().products.row("new")
    assert live.view().vectors.vector(row).tolist() == [1, 0, 0, 0]  # type: ignore[union-attr]
    assert live.pending_hashes() == [hash_of(mug)]
    assert live.vectors_arrived({hash_of(mug): vector(0, 0, 0, 1), "unknown": vector(1, 0, 0, 0)}) == 1
    assert live.view().vectors.vector(row).tolist() == [0, 0, 0, 1]  # type: ignore[union-attr]
    assert live.pending_hashes() == []


def test_a_change_that_leaves_the_text_alone_wants_no_vector():
    live = LiveState()
    live.swap(snapshot_of(product("a", price=1.0)))
    live.apply_products(changed(11, product("a", price=2.0)))
    assert live.pending_count == 0
    live.apply_products(changed(12, product("a", title="Cup")))
    assert live.pending_hashes() == [hash_of(product("a", title="Cup"))]


def test_a_vector_for_a_text_that_changed_again_is_not_used():
    live = LiveState()
    live.swap(snapshot_of(product("a")))
    cup, pot = product("a", title="Cup"), product("a", title="Pot")
    live.apply_products(changed(11, cup))
    live.apply_products(changed(12, pot))
    assert live.vectors_arrived({hash_of(cup): vector(9, 0, 0, 0)}) == 0
    assert live.pending_hashes() == [hash_of(pot)]


def test_a_vector_of_another_length_is_ignored():
    live = LiveState(dim=4)
    live.apply_products(changed(1, product("a")))
    assert live.vectors_arrived({hash_of(product("a")): vector(1, 0)}) == 0
    assert live.pending_count == 1


def test_a_deleted_product_has_no_vector_and_waits_for_none():
    live = LiveState()
    live.swap(snapshot_of(product("a")))
    live.apply_products(changed(11, product("b", title="Cup")))
    live.apply_products([ProductChange(12, "a", None), ProductChange(13, "b", None), ProductChange(14, "c", None)])
    assert live.pending_count == 0
    vectors = live.view().vectors
    assert [vectors.vector(row) for row in range(3)] == [None, None, None]


def test_counters_of_a_product_that_is_not_known_yet_wait_for_it():
    live = LiveState(dim=4)
    live.apply_products(changed(1, product("a")))
    live.apply_counts([count("a", 1, 1), count("late", 5, 2)])
    live.apply_counts([count("late", 7, 3)])
    assert live.counts_revision == 3
    live.apply_products(changed(2, product("late")))
    a, late = popular(live)
    assert late == pytest.approx(7 * a, rel=0.01)


def test_preferences_follow_their_feed():
    live = LiveState()
    live.apply_preferences([("v", Preferences("v", brands=("Acme",))), ("w", Preferences("w"))])
    live.apply_preferences([("w", None), ("nobody", None)])
    assert live.preferences_of("v") == Preferences("v", brands=("Acme",))
    assert live.preferences_of("w") is None


def test_rules_hold_from_the_next_view_on_and_unreadable_ones_are_left_out():
    live = LiveState()
    before = live.view()
    good = Rule("a", RuleKind.EXCLUDE, Target(TargetKind.BRAND, "Acme"))
    bad = Rule("b", RuleKind.EXCLUDE, Target(TargetKind.FILTER, "what ="))
    live.set_rules(RuleSet("7", (good, bad)))
    assert before.rules.version == "0"
    assert live.view().rules.version == "7"
    assert [ready.rule for ready in live.view().rule_book.ready] == [good]


def test_a_swap_puts_rows_in_the_order_of_the_snapshot_and_keeps_what_came_later():
    live = LiveState(dim=4)
    live.apply_products(changed(5, product("c"), product("a", price=1.0), product("b")))
    live.apply_products([*changed(11, product("a", price=2.0), product("new")), ProductChange(12, "b", None)])
    live.apply_counts([count("a", 4, 1), count("unheard", 1, 2)])
    trained = [replace(p, revision=5) for p in (product("a", price=1.0), product("b"), product("c"))]
    live.swap(snapshot_of(*trained, revision=10))
    table = live.view().products
    assert order(live) == ["a", "b", "c", "new"]
    assert table.product(0).price == 2.0
    assert table.row("b") == -1
    assert (live.model_version, live.catalog_revision) == ("m1", 12)
    assert popular(live)[0] > 0
    live.apply_products(changed(13, product("unheard")))
    assert popular(live)[4] > 0


def test_what_changes_while_a_swap_is_built_is_in_it():
    live = LiveState(dim=4)
    live.apply_products(changed(5, product("a"), product("b")))
    swap = live.begin_swap(snapshot_of(product("b"), product("a")))
    builder = threading.Thread(target=swap.build)
    builder.start()
    builder.join()
    cup = product("c", title="Cup")
    live.apply_products([*changed(20, cup), ProductChange(21, "a", None)])
    live.apply_counts([count("b", 3, 9)])
    live.vectors_arrived({hash_of(cup): vector(0, 0, 1, 0)})
    assert order(live) == ["a", "b", "c"]
    assert live.finish_swap(swap)
    assert order(live) == ["b", "a", "c"]
    assert live.view().products.row("a") == -1
    assert popular(live)[0] > 0
    assert live.view().vectors.vector(2).tolist() == [0, 0, 1, 0]  # type: ignore[union-attr]


def test_a_swap_that_was_replaced_or_given_up_changes_nothing():
    live = LiveState()
    first = live.begin_swap(snapshot_of(product("a"), version="m1"))
    second = live.begin_swap(snapshot_of(product("a"), version="m2"))
    first.build()
    second.build()
    assert not live.finish_swap(first)
    live.cancel_swap(first)
    assert live.finish_swap(second)
    assert not live.finish_swap(second)
    assert live.model_version == "m2"
    third = live.begin_swap(snapshot_of(product("a"), version="m3"))
    live.cancel_swap(third)
    third.build()
    assert not live.finish_swap(third)


def test_the_tables_of_a_snapshot_are_tried_out_before_they_answer():
    def warm_up(view: View) -> None:
        tried.append((view.snapshot.version if view.snapshot else "", live.model_version))
        pipeline_of(FakeSource("own", {"a": 1.0})).warm_up(view, NOON)

    tried: list[tuple[str, str]] = []
    live = LiveState(warm_up=warm_up)
    live.swap(snapshot_of(product("a")))
    live.swap(snapshot_of(version="m2"))
    assert tried == [("m1", ""), ("m2", "m1")]


def test_a_view_taken_before_a_swap_still_answers():
    live = LiveState(dim=4)
    live.apply_products(changed(5, product("z"), product("a")))
    before = live.view()
    live.swap(snapshot_of(product("a"), product("z")))
    assert before.products.row("z") == 0
    assert live.view().products.row("z") == 1


def test_more_pending_texts_than_asked_for_take_turns():
    pending = PendingTexts()
    for row in range(5):
        pending.add(row, f"text {row}")
    assert len({*pending.hashes(2), *pending.hashes(2), *pending.hashes(2)}) == 5


def test_stand_ins_are_made_a_few_at_a_time():
    pending = PendingTexts()
    for row in range(600):
        pending.add(row, f"text {row}")
    given = [len(list(pending.without_stand_in())) for _ in range(4)]
    assert given == [256, 256, 88, 0]


def test_waiting_counters_are_bounded():
    waiting = WaitingCounts(max_products=2)
    for number in range(4):
        waiting.add(count(f"p{number}", 1, number))
    assert [c.product_id for c in waiting.all()] == ["p2", "p3"]


facts = st.builds(
    product, st.sampled_from("abcd"), title=st.sampled_from(["Mug", "Cup"]), price=st.sampled_from([1.0, 2.0])
)
histories = st.lists(facts | st.sampled_from("abcd"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(histories, st.integers(0, 12), st.integers(0, 12))
def test_a_swap_at_any_moment_shows_the_same_products(history: list[Product | str], trained: int, swapped: int):
    """The catalog's history is replayed; a snapshot of some moment is swapped in at another."""
    changes = [
        ProductChange(revision, fact, None) if isinstance(fact, str) else changed(revision, fact)[0]
        for revision, fact in enumerate(history, start=1)
    ]
    then: dict[str, Product] = {}
    for change in changes[:trained]:
        then.pop(change.product_id, None)
        if change.product is not None:
            then[change.product_id] = change.product
    live = LiveState(dim=4)
    live.apply_products(changes[:swapped])
    live.swap(snapshot_of(*sorted(then.values(), key=lambda p: p.product_id), revision=min(trained, len(changes))))
    live.apply_products(changes[swapped:])
    now: dict[str, Product] = {}
    for change in changes:
        now.pop(change.product_id, None)
        if change.product is not None:
            now[change.product_id] = change.product
    table = live.view().products
    assert {table.id(row): table.product(row) for row in range(len(table)) if table.exists(row)} == now
