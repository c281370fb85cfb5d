"""Two replicas of the recommender on one Redis that dies and comes back."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from meshkit.errors import Unavailable
from meshkit.redis.link import RedisLink
from reco_svc.adapters.memory_seen_events import MemorySeenEvents
from reco_svc.adapters.redis_seen_events import RedisSeenEvents, SeenEventsTwice
from reco_svc.adapters.redis_session_store import RedisSessionStore
from reco_svc.adapters.spilling_session_store import SpillingSessionStore
from reco_svc.domain.model import SessionStep
from tests.support.servers import RedisServer, started

SILENCE = timedelta(minutes=30)


class Replica:
    """What a recommender keeps of visitors."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.link = RedisLink(url)
        self.sessions = SpillingSessionStore(RedisSessionStore(self.link, silence=SILENCE), silence=SILENCE)
        self.seen = SeenEventsTwice(RedisSeenEvents(self.link), MemorySeenEvents(max_ids=1_000))

    def click(self, visitor_id: str, *products: str) -> None:
        self.sessions.append({visitor_id: [SessionStep(p) for p in products]}, datetime.now(UTC))

    def session(self, visitor_id: str) -> tuple[list[str], bool]:
        found = self._runner.run(self.sessions.read([visitor_id], datetime.now(UTC)))
        return [step.product_id for step in found.steps.get(visitor_id, ())], found.degraded

    def wait_for_redis(self) -> None:
        deadline = time.monotonic() + 10
        while self.link.away:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    with started(server):
        yield server


@pytest.fixture
def replicas(server: RedisServer) -> Iterator[tuple[Replica, Replica]]:
    with asyncio.Runner() as runner:
        one, other = Replica(server.url, runner), Replica(server.url, runner)
        yield one, other
        runner.run(one.link.aclose())
        runner.run(other.link.aclose())


def test_a_click_told_to_one_replica_is_known_to_the_other(replicas: tuple[Replica, Replica]) -> None:
    one, other = replicas
    one.click("v", "mug")
    other.click("v", "pot", "pan")

    assert one.session("v") == other.session("v") == (["mug", "pot", "pan"], False)
    assert list(one.seen.add_new(["e1", "e2"])) == [True, True]
    assert list(other.seen.add_new(["e2", "e3"])) == [False, True]


def test_while_redis_is_frozen_clicks_are_kept_here_and_shared_when_it_is_back(
    server: RedisServer, replicas: tuple[Replica, Replica]
) -> None:
    one, other = replicas
    one.click("v", "mug")
    server.freeze()
    try:
        one.click("v", "pot")
        assert one.session("v") == (["pot"], True)
        assert list(one.seen.add_new(["e1", "e1"])) == [True, False]
    finally:
        server.thaw()
    one.wait_for_redis()

    assert one.session("v") == (["mug", "pot"], False)
    one.click("w", "pan")  # anyone's next click heals
    other.wait_for_redis()
    assert other.session("v") == (["mug", "pot"], False)
    assert list(one.seen.add_new(["e1"])) == [False]


def test_an_append_that_was_made_but_not_answered_in_time_is_there_once(
    server: RedisServer, replicas: tuple[Replica, Replica]
) -> None:
    one, _ = replicas
    one.click("v", "mug")
    server.freeze()
    one.click("v", "pot")  # sent, and carried out by Redis when it thaws
    server.thaw()
    one.wait_for_redis()
    one.click("v", "pan")

    assert one.session("v") == (["mug", "pot", "pan"], False)


def test_a_redis_that_lost_everything_is_blank_again_so_that_the_log_restores_it(
    server: RedisServer, replicas: tuple[Replica, Replica]
) -> None:
    one, other = replicas
    one.sessions.restore({}, datetime.now(UTC))
    assert not other.sessions.is_blank()
    server.kill()
    with pytest.raises(Unavailable):
        one.sessions.is_blank()
    server.start()
    one.wait_for_redis()

    assert one.sessions.is_blank()


def test_an_erased_visitor_does_not_come_back_with_what_another_replica_held(
    server: RedisServer, replicas: tuple[Replica, Replica]
) -> None:
    one, other = replicas
    server.freeze()
    one.click("v", "mug")
    with pytest.raises(Unavailable):
        other.sessions.erase("v")
    server.thaw()
    other.wait_for_redis()
    one.wait_for_redis()
    other.sessions.erase("v")

    assert one.session("v") == ([], False)
    one.click("w", "pot")  # heals, and v's click is refused
    assert other.session("v") == ([], False)
    one.click("v", "pan")
    assert other.session("v") == (["pan"], False)


def test_a_text_that_is_not_a_session_is_no_session(replicas: tuple[Replica, Replica]) -> None:
    one, _ = replicas
    for garbage in (b"\x80\x04nonsense", b"[1", b"{}\n", b'["a",2]\n', b"[]\n", b"[1,2,3,4]\n"):
        one.link.call(lambda redis, text=garbage: redis.set("recomesh:session:v", text))  # type: ignore[misc]
        assert one.session("v") == ([], False)
        one.click("v", "mug")
        assert one.session("v") in ((["mug"], False), ([], False))
    assert not one.link.away
