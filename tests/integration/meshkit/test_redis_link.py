"""A real Redis that dies, hangs and comes back, as the mesh feels it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from meshkit.errors import Unavailable
from meshkit.redis.link import RedisLink
from tests.support.servers import RedisServer, started

ONCE_S = 0.06
LATER_S = 0.005


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    with started(server):
        yield server


@pytest.fixture
def link(server: RedisServer) -> Iterator[RedisLink]:
    link = RedisLink(server.url)
    link.call(lambda r: r.ping())
    yield link
    link.close()


def ping(link: RedisLink) -> float:
    """Seconds a failed call takes."""
    began = time.perf_counter()
    with pytest.raises(Unavailable, match=r"Redis|redis"):
        link.call(lambda r: r.ping())
    return time.perf_counter() - began


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def costs_once(link: RedisLink, server: RedisServer) -> None:
    # The machine of the tests may be busy: the best of what a patient caller sees is what the link itself costs.
    firsts = [ping(link)]
    while min(firsts) >= ONCE_S * 3 and len(firsts) < 5:
        with closing(RedisLink(server.url)) as another:
            firsts.append(ping(another))
    assert min(firsts) < ONCE_S * 3
    assert min(ping(link) for _ in range(20)) < LATER_S


def test_a_frozen_redis_costs_its_budget_once_and_then_nothing(server: RedisServer, link: RedisLink) -> None:
    server.freeze()
    try:
        costs_once(link, server)
        time.sleep(1.2)  # through several probes
        assert link.away
        assert min(ping(link) for _ in range(20)) < LATER_S
    finally:
        server.thaw()

    until(lambda: not link.away)
    assert link.call(lambda r: r.ping())


def test_a_killed_redis_costs_next_to_nothing_and_is_used_again_when_it_is_back(
    server: RedisServer, link: RedisLink
) -> None:
    server.kill()
    costs_once(link, server)
    assert link.away

    server.start()

    until(lambda: not link.away)
    assert link.call(lambda r: r.ping())


def test_callers_on_the_event_loop_share_the_bypass(server: RedisServer) -> None:
    async def scenario() -> tuple[float, float]:
        link = RedisLink(server.url)
        await link.acall(lambda r: r.ping())
        server.freeze()
        try:
            began = time.perf_counter()
            results = await asyncio.gather(*(link.acall(lambda r: r.ping()) for _ in range(50)), return_exceptions=True)
            together = time.perf_counter() - began
            assert all(isinstance(result, Unavailable) for result in results)
            began = time.perf_counter()
            with pytest.raises(Unavailable):
                await link.acall(lambda r: r.ping())
            later = time.perf_counter() - began
        finally:
            server.thaw()
        while link.away:  # noqa: ASYNC110  (a probe in a thread ends it)
            await asyncio.sleep(0.01)
        assert await link.acall(lambda r: r.ping())
        await link.aclose()
        return together, later

    together, later = map(min, zip(*(asyncio.run(scenario()) for _ in range(3)), strict=True))
    assert together < ONCE_S * 3  # fifty waited at the same time, not one after the other
    assert later < LATER_S * 3


def test_a_wrong_answer_is_a_failure_like_any_other(link: RedisLink) -> None:
    link.call(lambda r: r.set("text", "no list"))

    with pytest.raises(Unavailable, match="WRONGTYPE"):
        link.call(lambda r: r.lpush("text", "x"))
    until(lambda: not link.away)
