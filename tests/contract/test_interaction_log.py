"""What every InteractionLog keeps."""

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import numpy as np
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.domain.model import EventType, Interaction
from reco_svc.domain.ports import HourlyCount, InteractionColumns, InteractionLog, InteractionUpkeep
from tests.support.reco_stores import NOON, MemoryInteractionLog, interaction

HOUR = int(NOON.timestamp()) // 3600


STORES = ["sqlite", "postgres"]


class KeptLog(InteractionLog, InteractionUpkeep, Protocol):
    """Both ports of one store."""


@pytest.fixture(params=["memory", *STORES])
def log(request: pytest.FixtureRequest, open_reco_database: Callable[[str], None]) -> InteractionLog:
    if request.param == "memory":
        return MemoryInteractionLog()
    open_reco_database(request.param)
    return DjangoInteractionLog()


@pytest.fixture(params=STORES)
def shared_log(request: pytest.FixtureRequest, open_reco_database: Callable[[str], None]) -> InteractionLog:
    """One that many threads may use."""
    open_reco_database(request.param)
    return DjangoInteractionLog()


def _at_once(*jobs: Callable[[], object]) -> None:
    def run(job: Callable[[], object]) -> None:
        try:
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as threads:
        for done in [threads.submit(run, job) for job in jobs]:
            done.result(60)


def _all(chunks: Iterator[InteractionColumns]) -> list[tuple[str, str, int]]:
    return [
        (product, EventType(int(kind)).name, int(at))
        for c in chunks
        for product, kind, at in zip(c.product_id, c.type, c.at_s, strict=True)
    ]


def _counts(log: InteractionLog) -> dict[tuple[str, EventType, int], int]:
    return {(c.product_id, c.type, c.hour): c.events for c in log.counts_after(0) if c.events}


def test_an_empty_log_has_nothing(log: InteractionLog) -> None:
    assert log.count() == 0
    assert log.latest_at() is None
    assert list(log.scan()) == []
    assert log.recent(NOON) == []
    assert log.purchased(["v1", "v2"]) == {}
    assert log.counts_after(0) == []
    assert log.append([]).inserted == frozenset()


def test_an_event_id_is_stored_once_whether_repeated_in_a_batch_or_later(log: InteractionLog) -> None:
    first = log.append([interaction("e1"), interaction("e2"), interaction("e1", "other")])
    again = log.append([interaction("e2"), interaction("e3")])

    assert (first.inserted, first.duplicate) == ({"e1", "e2"}, 1)
    assert (again.inserted, again.duplicate) == ({"e3"}, 1)
    assert log.count() == 3
    assert [i.product_id for i in log.recent(NOON)] == ["p1", "p1", "p1"]


def test_an_interaction_comes_back_with_every_field(log: InteractionLog) -> None:
    full = Interaction(
        event_id="é💥" * 20,
        type=EventType.PURCHASE,
        visitor_id="v'1",
        product_id='"; DROP TABLE x; --',
        at=datetime(2010, 12, 1, 8, 26, 0, 123456, UTC),
        quantity=1_000_000,
        price=2.55,
        currency="GBP",
        order_id="536365",
        recommendation_id="r1",
        position=3,
        placement="home%s",
        query='mug 💥 \\ {a,"b",NULL}',
        session_id="NULL",
    )
    bare = interaction("bare", "", type=EventType.SEARCH)
    log.append([full, bare])

    assert log.recent(datetime(1970, 1, 1, tzinfo=UTC)) == [full, bare]


def test_a_scan_gives_columns_in_order_of_time_then_event_id(log: InteractionLog) -> None:
    log.append(
        [
            interaction("c", "p3", minute=5),
            interaction("b", "p2", type=EventType.PURCHASE, quantity=3, price=1.5, order_id="o", session_id="s"),
            interaction("a", "p1"),
        ]
    )

    (columns,) = log.scan()

    assert list(columns.product_id) == ["p1", "p2", "p3"]
    assert list(columns.order_id) == ["", "o", ""]
    assert list(columns.session_id) == ["", "s", ""]
    assert list(columns.visitor_id) == ["v1"] * 3
    assert columns.type.dtype == np.int8
    assert columns.type.tolist() == [1, 6, 1]
    assert columns.quantity.dtype == np.int32
    assert columns.quantity.tolist() == [1, 3, 1]
    assert columns.price.dtype == np.float32
    assert math.isnan(columns.price[0])
    assert columns.price[1] == 1.5
    assert columns.at_s.dtype == np.int64
    assert (columns.at_s - int(NOON.timestamp())).tolist() == [0, 0, 300]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 8])
def test_a_scan_in_chunks_misses_and_repeats_nothing(log: InteractionLog, chunk: int) -> None:
    log.append([interaction(f"e{n}", f"p{n}", minute=n // 3) for n in range(7)])

    chunks = list(log.scan(chunk=chunk))

    assert [p for c in chunks for p in c.product_id] == [f"p{n}" for n in range(7)]
    assert all(0 < len(c.at_s) <= chunk for c in chunks)


def test_a_scan_since_a_moment_begins_with_it(log: InteractionLog) -> None:
    log.append([interaction(f"e{n}", f"p{n}", minute=n) for n in range(4)])

    assert [p for p, *_ in _all(log.scan(NOON + timedelta(minutes=2)))] == ["p2", "p3"]


def test_recent_gives_the_newest_oldest_first(log: InteractionLog) -> None:
    log.append([interaction(f"e{n}", minute=n) for n in range(5)])

    assert [i.event_id for i in log.recent(NOON + timedelta(minutes=1), limit=3)] == ["e2", "e3", "e4"]
    assert [i.event_id for i in log.recent(NOON + timedelta(minutes=3), limit=9)] == ["e3", "e4"]
    assert log.latest_at() == NOON + timedelta(minutes=4)


def test_of_the_newest_those_that_are_known_are_left_out(log: InteractionLog) -> None:
    log.append([interaction(f"e{n}", minute=n) for n in range(5)])

    def ids(known: set[str], limit: int = 9) -> list[str]:
        return [i.event_id for i in log.recent(NOON + timedelta(minutes=1), limit=limit, known=known)]

    assert ids({"e3", "e2"}) == ["e1", "e4"]
    assert ids({"e4"}, limit=2) == ["e3"]
    assert ids({"e1", "e2", "e3", "e4", "other"}) == []
    assert ids({"other"}) == ["e1", "e2", "e3", "e4"]


def test_counters_add_up_by_product_type_and_hour(log: InteractionLog) -> None:
    log.append([interaction("a"), interaction("b"), interaction("c", type=EventType.PURCHASE)])
    log.append([interaction("a"), interaction("d"), interaction("e", minute=60), interaction("f", "p2")])

    assert _counts(log) == {
        ("p1", EventType.VIEW_ITEM, HOUR): 3,
        ("p1", EventType.PURCHASE, HOUR): 1,
        ("p1", EventType.VIEW_ITEM, HOUR + 1): 1,
        ("p2", EventType.VIEW_ITEM, HOUR): 1,
    }


def test_a_follower_of_the_counters_sees_only_what_changed_page_by_page(log: InteractionLog) -> None:
    log.append([interaction(f"e{n}", f"p{n}") for n in range(5)])
    first = log.counts_after(0, limit=2)
    rest = log.counts_after(first[-1].revision)

    assert len({c.revision for c in [*first, *rest]}) == 5
    assert {c.product_id for c in [*first, *rest]} == {f"p{n}" for n in range(5)}

    seen = rest[-1].revision
    assert log.counts_after(seen) == []
    log.append([interaction("again", "p3")])
    (changed,) = log.counts_after(seen)
    assert changed == HourlyCount("p3", EventType.VIEW_ITEM, HOUR, 2, changed.revision)


def test_purchased_leaves_out_what_was_sent_back(log: InteractionLog) -> None:
    bought, sent_back = EventType.PURCHASE, EventType.REFUND
    log.append(
        [
            interaction("1", "kept", type=bought, minute=1),
            interaction("2", "returned", type=bought, minute=2, quantity=2),
            interaction("3", "returned", type=sent_back, minute=9, quantity=2),
            interaction("4", "half", type=bought, minute=3, quantity=2),
            interaction("5", "half", type=sent_back, minute=9),
            interaction("6", "only-viewed", minute=4),
            interaction("7", "others", type=bought, visitor_id="v2"),
            interaction("8", "again", type=bought, minute=0),
            interaction("9", "again", type=bought, minute=8),
        ]
    )

    assert log.purchased(["v1"]) == {"v1": ["again", "half", "kept"]}
    assert log.purchased(["v3", "v2", "v1"], limit=1) == {"v1": ["again"], "v2": ["others"]}
    assert log.purchased([]) == {}


def test_erasing_a_visitor_removes_events_and_their_counts(log: InteractionLog) -> None:
    log.append([interaction("a"), interaction("b", "p2"), interaction("c", visitor_id="v2")])

    assert log.erase("v1", NOON + timedelta(minutes=1)) == 2
    assert log.erase("v1", NOON + timedelta(minutes=1)) == 0
    assert log.erase("nobody", NOON) == 0
    assert [i.event_id for i in log.recent(NOON)] == ["c"]
    assert _counts(log) == {("p1", EventType.VIEW_ITEM, HOUR): 1}


def test_events_from_before_an_erasure_are_refused_when_they_come_late(log: InteractionLog) -> None:
    log.erase("v1", NOON + timedelta(minutes=5))
    log.erase("v1", NOON)  # an older message of the same erasure: the later moment holds

    report = log.append(
        [interaction("old", minute=5), interaction("new", minute=6), interaction("other", visitor_id="v2")]
    )

    assert (report.inserted, report.duplicate) == ({"new", "other"}, 1)
    assert sum(_counts(log).values()) == 2


def test_months_that_ended_are_forgotten_with_their_counters_and_do_not_come_back(log: KeptLog) -> None:
    log.append([interaction(f"old{n}", at=datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)) for n in range(3)])
    log.append([interaction("ancient", at=datetime(1999, 1, 1, tzinfo=UTC))])
    log.append([interaction("new", at=datetime(2026, 4, 1, tzinfo=UTC)), interaction("newer")])

    assert log.forget_before(datetime(2026, 4, 30, tzinfo=UTC)) == 4
    assert log.forget_before(datetime(2026, 4, 30, tzinfo=UTC)) == 0
    assert [i.event_id for i in log.recent(datetime(1970, 1, 1, tzinfo=UTC))] == ["new", "newer"]
    assert sum(_counts(log).values()) == 2

    late = log.append([interaction("old1", at=datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)), interaction("new")])
    assert (late.inserted, late.duplicate) == (frozenset(), 2)
    log.forget_before(datetime(2026, 2, 1, tzinfo=UTC))  # less than before: nothing comes back
    assert log.append([interaction("x", at=datetime(2026, 3, 1, tzinfo=UTC))]).inserted == frozenset()


def test_making_room_ahead_changes_no_answer(log: KeptLog) -> None:
    months = [datetime(2025, 12, 31, 23, tzinfo=UTC) + timedelta(hours=h) for h in range(3)]
    log.append([interaction(f"e{n}", at=at) for n, at in enumerate(months)])
    before = _all(log.scan())

    log.prepare(datetime(2026, 1, 15, tzinfo=UTC))
    log.prepare(datetime(2026, 2, 15, tzinfo=UTC))

    assert _all(log.scan()) == before
    assert log.append([interaction(f"e{n}", at=at) for n, at in enumerate(months)]).duplicate == 3


def test_an_event_id_that_comes_again_with_another_time_is_still_stored_once(log: InteractionLog) -> None:
    log.append([interaction("e1", at=datetime(2026, 5, 1, tzinfo=UTC))])

    assert log.append([interaction("e1", at=datetime(2026, 6, 1, tzinfo=UTC))]).duplicate == 1
    assert log.count() == 1


def test_an_erased_event_id_may_be_used_again(log: InteractionLog) -> None:
    log.append([interaction("e1")])
    log.erase("v1", NOON)

    assert log.append([interaction("e1", visitor_id="v2")]).inserted == {"e1"}


def test_threads_that_append_at_once_lose_and_double_nothing(shared_log: InteractionLog) -> None:
    told: list[str] = []

    def write(worker: int) -> None:
        for n in range(10):
            report = shared_log.append([interaction(f"shared-{n}"), interaction(f"own-{worker}-{n}", f"p{worker}")])
            told.extend(report.inserted)

    _at_once(*(partial(write, n) for n in range(4)))

    assert shared_log.count() == 50
    assert len(told) == len(set(told)) == 50
    assert sum(_counts(shared_log).values()) == 50


def test_a_follower_misses_no_counter_while_threads_append(shared_log: InteractionLog) -> None:
    seen: dict[tuple[str, EventType, int], int] = {}
    writing = threading.Event()
    writing.set()

    def write(worker: int) -> None:
        for n in range(15):
            shared_log.append([interaction(f"{worker}-{n}-{k}", f"p{(n + k) % 7}", minute=n) for k in range(3)])

    def follow() -> None:
        revision, rounds_after = 0, 0
        while rounds_after < 2:
            rounds_after += not writing.is_set()
            for c in shared_log.counts_after(revision, limit=5):
                assert c.revision > revision
                revision = c.revision
                seen[c.product_id, c.type, c.hour] = c.events
                rounds_after = 0

    def write_all() -> None:
        try:
            _at_once(*(partial(write, n) for n in range(3)))
        finally:
            writing.clear()

    _at_once(follow, write_all)

    assert seen == _counts(shared_log)
    assert sum(seen.values()) == 135


def test_an_erasure_among_appends_leaves_counters_that_agree_with_the_log(shared_log: InteractionLog) -> None:
    def write(worker: int) -> None:
        for n in range(15):
            shared_log.append([interaction(f"{worker}-{n}-{v}", visitor_id=v, minute=n) for v in ("v1", "v2")])

    def erase() -> None:
        for minute in (3, 30):
            shared_log.erase("v1", NOON + timedelta(minutes=minute))

    _at_once(partial(write, 1), partial(write, 2), erase)

    left = shared_log.recent(NOON)
    assert sum(_counts(shared_log).values()) == len(left) == shared_log.count()
    assert [i for i in left if i.visitor_id == "v1"] == []
    assert len(left) == 30


EVENTS = st.lists(
    st.builds(
        interaction,
        st.sampled_from("abcdefgh"),
        st.sampled_from(["p1", "p2"]),
        visitor_id=st.sampled_from(["v1", "v2"]),
        minute=st.integers(0, 180),
        type=st.sampled_from([EventType.VIEW_ITEM, EventType.PURCHASE, EventType.REFUND]),
    ),
    max_size=6,
)


@pytest.mark.parametrize("store", STORES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(EVENTS, st.integers(0, 180)), max_size=5))
def test_the_log_behaves_like_its_readable_model(
    store: str, open_reco_database: Callable[[str], None], steps: list[list[Interaction] | int]
) -> None:
    open_reco_database(store)
    real, model = DjangoInteractionLog(), MemoryInteractionLog()
    for step in steps:
        if isinstance(step, int):
            at = NOON + timedelta(minutes=step)
            assert real.erase("v1", at) == model.erase("v1", at)
        else:
            assert real.append(step) == model.append(step)

    assert real.recent(NOON) == model.recent(NOON)
    assert _all(real.scan(chunk=2)) == _all(model.scan(chunk=2))
    assert real.purchased(["v1", "v2"]) == model.purchased(["v1", "v2"])
    assert _counts(real) == _counts(model)
