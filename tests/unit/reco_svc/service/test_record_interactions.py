"""Taking events: verdicts, durability, sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from meshkit.errors import Unavailable
from meshkit.topics import INTERACTIONS
from reco_svc.adapters.memory_seen_events import MemorySeenEvents
from reco_svc.adapters.memory_session_store import MemorySessionStore
from reco_svc.domain.model import EventType, SessionStep
from reco_svc.service.record_interactions import RecordInteractions, Verdict
from reco_svc.service.reported_event import ReportedEvent
from tests.support.reco_stores import NOON, FakeQueue


class Shop:
    """The use case with everything around it."""

    def __init__(self) -> None:
        self.queue = FakeQueue()
        self.sessions = MemorySessionStore()
        self.record = RecordInteractions(
            self.queue,  # type: ignore[arg-type]
            MemorySeenEvents(max_ids=1_000),
            self.sessions,
            lambda product_id: product_id != "unknown",
            clock=lambda: NOON,
        )

    def verdicts(self, *events: ReportedEvent) -> list[Verdict]:
        return [v.verdict for v in self.record(events)]

    @property
    def queued(self) -> list[str]:
        return [e["event_id"] for m in self.queue.published for e in orjson.loads(m.body)["events"]]

    def steps(self, visitor_id: str = "v1") -> list[tuple[str, EventType]]:
        return [(s.product_id, s.type) for s in self.sessions.get(visitor_id, NOON)]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def _event(
    event_id: str, product_id: str = "p1", kind: EventType = EventType.VIEW_ITEM, **fields: object
) -> ReportedEvent:
    minutes_ago = int(str(fields.pop("minutes_ago", 0)))
    at_us = int((NOON - timedelta(minutes=minutes_ago)).timestamp()) * 1_000_000
    event = ReportedEvent(event_id, int(kind), "v1", product_id, at_us)
    return replace(event, **fields)  # type: ignore[arg-type]


def test_each_event_gets_its_own_verdict_in_order(shop: Shop) -> None:
    verdicts = shop.record(
        [
            _event("good"),
            _event("bad", quantity=0),
            _event("good"),
            _event("old", minutes_ago=24 * 60 + 1),
            _event("new-product", "unknown"),
            _event("search", "", EventType.SEARCH, query="mug"),
        ]
    )

    assert [(v.event_id, v.verdict) for v in verdicts] == [
        ("good", Verdict.ACCEPTED),
        ("bad", Verdict.INVALID),
        ("good", Verdict.DUPLICATE),
        ("old", Verdict.LATE),
        ("new-product", Verdict.UNKNOWN_PRODUCT),
        ("search", Verdict.ACCEPTED),
    ]
    assert [v.reason for v in verdicts] == ["", "quantity: 1 to 1,000,000", "", "", "", ""]
    assert shop.queued == ["good", "old", "new-product", "search"]


def test_the_verdict_of_an_id_goes_to_its_first_valid_event(shop: Shop) -> None:
    assert shop.verdicts(_event("e1", quantity=0), _event("e1"), _event("e1")) == [
        Verdict.INVALID,
        Verdict.ACCEPTED,
        Verdict.DUPLICATE,
    ]


def test_nothing_valid_publishes_nothing(shop: Shop) -> None:
    assert shop.verdicts(_event("e1", quantity=0)) == [Verdict.INVALID]
    assert shop.verdicts() == []
    assert shop.queue.published == []


def test_a_repeat_is_a_duplicate_that_is_made_durable_again_but_moves_no_session(shop: Shop) -> None:
    shop.record([_event("e1")])

    assert shop.verdicts(_event("e1"), _event("e2", "p2")) == [Verdict.DUPLICATE, Verdict.ACCEPTED]
    assert shop.queued == ["e1", "e1", "e2"]
    assert [p for p, _ in shop.steps()] == ["p1", "p2"]


def test_an_absent_queue_takes_nothing_and_the_same_ids_may_come_again(shop: Shop) -> None:
    shop.record([_event("before")])
    shop.queue.away = True
    with pytest.raises(Unavailable):
        shop.record([_event("before"), _event("e1")])
    assert shop.steps() == [("p1", EventType.VIEW_ITEM)]

    shop.queue.away = False
    assert shop.verdicts(_event("before"), _event("e1")) == [Verdict.DUPLICATE, Verdict.ACCEPTED]


def test_messages_hold_at_most_five_hundred_events_of_the_topic(shop: Shop) -> None:
    shop.record([_event(f"e{n}") for n in range(1_001)])

    sizes = [len(orjson.loads(m.body)["events"]) for m in shop.queue.published]
    assert sizes == [500, 500, 1]
    assert {m.topic for m in shop.queue.published} == {INTERACTIONS}
    assert shop.queued == [f"e{n}" for n in range(1_001)]


def test_the_session_reacts_at_once_in_order_of_time(shop: Shop) -> None:
    shop.record(
        [
            _event("e3", "p3", EventType.ADD_TO_CART),
            _event("e1", "p1", minutes_ago=5),
            _event("e4", "p4", EventType.PURCHASE),
            _event("e2", "unknown", minutes_ago=3),
        ]
    )

    assert shop.steps() == [
        ("p1", EventType.VIEW_ITEM),
        ("unknown", EventType.VIEW_ITEM),
        ("p3", EventType.ADD_TO_CART),
        ("p4", EventType.PURCHASE),
    ]


def test_late_events_impressions_refunds_and_searches_leave_the_session_alone(shop: Shop) -> None:
    shop.record(
        [
            _event("late", minutes_ago=24 * 60 + 1),
            _event("seen", kind=EventType.IMPRESSION),
            _event("back", kind=EventType.REFUND),
            _event("search", "", EventType.SEARCH, query="mug"),
        ]
    )

    assert shop.steps() == []


def test_an_absent_session_store_fails_nothing_because_the_events_are_durable() -> None:
    class Away(MemorySessionStore):
        def append(self, steps: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
            raise Unavailable("cache")

    queue = FakeQueue()
    record = RecordInteractions(queue, MemorySeenEvents(max_ids=9), Away(), lambda _: True, clock=lambda: NOON)  # type: ignore[arg-type]

    assert [v.verdict for v in record([_event("e1")])] == [Verdict.ACCEPTED]
    assert len(queue.published) == 1
