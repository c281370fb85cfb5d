"""Sessions since the snapshot: bounded, told once, forgotten when asked."""

from datetime import UTC, datetime, timedelta

import numpy as np

from reco_svc.domain import fresh_sessions
from reco_svc.domain.fresh_sessions import FreshSessions
from reco_svc.domain.model import EventType, Interaction
from reco_svc.domain.snapshot import SessionIndex
from reco_svc.domain.sources.session import neighbour_scores

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROWS = {f"p{n}": n for n in range(6)}


def seen(
    visitor: str, product: str, minute: float, type_: EventType = EventType.VIEW_ITEM, session: str = ""
) -> Interaction:
    at = NOON + timedelta(minutes=minute)
    return Interaction(f"{visitor}{product}{minute}", type_, visitor, product, at, session_id=session)


def index(fresh: FreshSessions) -> SessionIndex:
    return fresh.index(lambda id_: ROWS.get(id_, -1), 6, np.zeros(6, np.float32))


def sessions(fresh: FreshSessions) -> list[list[int]]:
    made = index(fresh)
    return [made.item_rows[a:b].tolist() for a, b in zip(made.session_ptr, made.session_ptr[1:], strict=False)]


def test_a_session_that_still_runs_is_a_neighbour():
    fresh = FreshSessions()
    fresh.add([seen("v", "p0", 0), seen("v", "p3", 1)])
    rows, scores, evidence = neighbour_scores((index(fresh),), np.array([0]), np.ones(1, np.float32))
    assert rows.tolist() == [3]
    assert scores[0] > 0
    assert evidence.tolist() == [0]


def test_events_told_twice_count_once():
    fresh = FreshSessions()
    events = [seen("v", "p0", 0), seen("v", "p1", 1)]
    fresh.add(events)
    version = fresh.version
    fresh.add(events)
    assert fresh.version == version
    assert sessions(fresh) == [[0, 1]]


def test_silence_ends_a_session_without_a_name_and_no_other():
    fresh = FreshSessions()
    fresh.add([seen("v", "p0", 0), seen("v", "p1", 1), seen("v", "p2", 60), seen("v", "p3", 61)])
    fresh.add([seen("w", "p0", 0, session="s"), seen("w", "p5", 60, session="s")])
    assert sessions(fresh) == [[0, 1], [2, 3], [0, 5]]


def test_a_removal_takes_the_product_out_of_the_session():
    fresh = FreshSessions()
    fresh.add([seen("v", "p0", 0), seen("v", "p1", 1), seen("v", "p2", 2)])
    fresh.add([seen("v", "p1", 3, EventType.REMOVE_FROM_CART)])
    assert sessions(fresh) == [[0, 2]]


def test_unknown_products_and_sessions_of_one_product_are_no_neighbours():
    fresh = FreshSessions()
    fresh.add([seen("v", "p0", 0), seen("v", "gone", 1), seen("w", "p4", 2)])
    assert sessions(fresh) == []


def test_a_visitor_who_is_erased_leaves_nothing():
    fresh = FreshSessions()
    fresh.add([seen("v", "p0", 0), seen("v", "p1", 1), seen("w", "p2", 0), seen("w", "p3", 1)])
    fresh.forget("v")
    assert sessions(fresh) == [[2, 3]]


def test_what_a_snapshot_has_seen_is_fresh_no_more():
    fresh = FreshSessions()
    fresh.add([seen("v", "p0", 0), seen("v", "p1", 1), seen("w", "p2", 5), seen("w", "p3", 6)])
    fresh.forget_until((NOON + timedelta(minutes=2)).timestamp())
    assert sessions(fresh) == [[2, 3]]


def test_of_too_many_sessions_the_oldest_are_dropped(monkeypatch):
    monkeypatch.setattr(fresh_sessions, "MOST_SESSIONS", 2)
    fresh = FreshSessions()
    for visitor in range(4):
        fresh.add([seen(f"v{visitor}", f"p{visitor}", visitor), seen(f"v{visitor}", "p5", visitor)])
    assert len(fresh) == 2
    assert sessions(fresh) == [[2, 5], [3, 5]]
