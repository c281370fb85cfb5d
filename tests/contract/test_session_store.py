"""What every SessionStore keeps."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from meshkit.redis.link import RedisLink
from reco_svc.adapters.memory_session_store import MemorySessionStore
from reco_svc.adapters.redis_session_store import RedisSessionStore
from reco_svc.adapters.spilling_session_store import SpillingSessionStore
from reco_svc.domain.model import EventType, SessionStep
from reco_svc.domain.ports import SessionStore
from tests.support.reco_stores import NOON

A, B = SessionStep("a", EventType.VIEW_ITEM, NOON), SessionStep("b", EventType.ADD_TO_CART, NOON)
SILENCE = timedelta(minutes=30)


class Kept:
    """A store, its reads awaited on a loop of their own."""

    def __init__(self, store: SessionStore, runner: asyncio.Runner) -> None:
        self.append, self.erase, self.is_blank, self.restore = store.append, store.erase, store.is_blank, store.restore
        self._store, self._runner = store, runner

    def read(self, *visitor_ids: str, now: datetime = NOON) -> dict[str, list[SessionStep]]:
        found = self._runner.run(self._store.read(visitor_ids, now))
        assert not found.degraded
        return {visitor_id: list(mine) for visitor_id, mine in found.steps.items()}

    def steps(self, visitor_id: str, now: datetime = NOON) -> list[SessionStep]:
        return self.read(visitor_id, now=now).get(visitor_id, [])


@pytest.fixture(params=["memory", "redis", "redis or memory"])
def sessions(request: pytest.FixtureRequest) -> Iterator[Kept]:
    with asyncio.Runner() as runner:
        if request.param == "memory":
            yield Kept(MemorySessionStore(silence=SILENCE), runner)
            return
        link = RedisLink(request.getfixturevalue("redis_server").url, budget_s=2.0)
        link.call(lambda redis: redis.flushdb())
        shared = RedisSessionStore(link, silence=SILENCE, clock=lambda: NOON)
        yield Kept(shared if request.param == "redis" else SpillingSessionStore(shared, silence=SILENCE), runner)
        runner.run(link.aclose())


def test_an_unknown_visitor_has_no_steps(sessions: Kept) -> None:
    assert sessions.steps("v1", NOON) == []
    assert sessions.erase("v1") == 0


def test_steps_come_back_oldest_first_for_their_visitor_alone(sessions: Kept) -> None:
    sessions.append({"v1": [A]}, NOON)
    sessions.append({"v1": [B, A]}, NOON)
    sessions.append({"v2": [B]}, NOON)

    assert sessions.steps("v1", NOON) == [A, B, A]
    assert sessions.steps("v2", NOON) == [B]


def test_only_the_last_hundred_steps_are_kept(sessions: Kept) -> None:
    many = [SessionStep(f"p{n}") for n in range(250)]
    sessions.append({"v1": many[:90]}, NOON)
    sessions.append({"v1": many[90:]}, NOON)

    assert sessions.steps("v1", NOON) == many[-100:]


def test_half_an_hour_of_silence_ends_a_session(sessions: Kept) -> None:
    sessions.append({"v1": [A]}, NOON)
    sessions.append({"v1": [B]}, NOON + timedelta(minutes=30))

    assert sessions.steps("v1", NOON + timedelta(minutes=60)) == [A, B]
    assert sessions.steps("v1", NOON + timedelta(minutes=60, seconds=1)) == []


def test_after_silence_a_session_starts_afresh(sessions: Kept) -> None:
    sessions.append({"v1": [A]}, NOON)
    sessions.append({"v1": [B]}, NOON + timedelta(hours=2))

    assert sessions.steps("v1", NOON + timedelta(hours=2)) == [B]


def test_no_steps_do_not_prolong_a_session(sessions: Kept) -> None:
    sessions.append({"v1": [A]}, NOON)
    sessions.append({"v1": []}, NOON + timedelta(minutes=29))

    assert sessions.steps("v1", NOON + timedelta(minutes=31)) == []


def test_an_erased_visitor_is_gone(sessions: Kept) -> None:
    sessions.append({"v1": [A, B]}, NOON)

    assert sessions.erase("v1") == 2
    assert sessions.erase("v1") == 0
    assert sessions.steps("v1", NOON) == []


def test_many_sessions_are_read_at_once(sessions: Kept) -> None:
    sessions.append({"v1": [A], "v2": [B], "v3": []}, NOON)

    assert sessions.read("v1", "v2", "v3", "v4") == {"v1": [A], "v2": [B]}


def test_sessions_from_the_log_are_restored_once_and_only_where_there_are_none(sessions: Kept) -> None:
    assert sessions.is_blank()
    sessions.append({"v1": [B]}, NOON)
    sessions.restore({"v1": [A, B], "v2": [A, A]}, NOON)

    assert not sessions.is_blank()
    assert sessions.read("v1", "v2") == {"v1": [B], "v2": [A, A]}


def test_ids_of_any_letters_come_back_as_they_were(sessions: Kept) -> None:
    odd = [
        SessionStep(text, EventType.PURCHASE, NOON + timedelta(microseconds=7)) for text in ('[1,2]"\\', "ü%s ]", "[9")
    ]
    sessions.append({"v:ü [1]": odd}, NOON)
    sessions.append({"v:ü [1]": odd}, NOON)

    assert sessions.steps("v:ü [1]", NOON) == [*odd, *odd]
