"""A limit that two processes share through a real Redis, and what is left of it without one."""

import asyncio
import subprocess
import sys
import time

import pytest

from meshkit.limiting.quota import Quota
from meshkit.limiting.shared_limiter import SharedLimiter
from meshkit.redis.link import RedisLink
from tests.support.servers import RedisServer, started

SECONDS = 5.0
UNITS, WINDOW_S = 2_000, 2.0


@pytest.mark.parametrize("calls_per_s", [1_500, 4_000])
def test_two_processes_together_let_through_the_quota_to_one_percent(
    redis_server: RedisServer, calls_per_s: int
) -> None:
    link = RedisLink(redis_server.url, budget_s=1.0)
    link.call(lambda redis: redis.flushdb())
    link.close()
    arguments = [redis_server.url, str(UNITS), str(WINDOW_S), str(calls_per_s)]
    command = [sys.executable, "-m", "tests.support.limited_process", *arguments]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    until = time.monotonic() + SECONDS
    for process in both:
        assert process.stdin is not None
        process.stdin.write(f"{until}\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in both]

    allowed = sum(int(count) for count, _, _ in told)
    seconds = max(float(ended) for _, _, ended in told) - min(float(began) for _, began, _ in told)
    assert allowed == pytest.approx(UNITS + UNITS / WINDOW_S * seconds, rel=0.01)


def test_without_redis_each_process_gives_its_part_of_the_quota() -> None:
    async def scenario(url: str) -> tuple[int, int]:
        link = RedisLink(url)
        limiter, quota = SharedLimiter(link, replicas=4), Quota("test", 100, 3600.0)
        server.freeze()
        try:
            limiter.take("other", quota)
            await limiter.settle()
            assert link.away
            alone = sum(limiter.take("key", quota).allowed for _ in range(200))
        finally:
            server.thaw()
        while link.away:  # noqa: ASYNC110  (a probe in a thread ends it)
            await asyncio.sleep(0.01)
        shared = sum(limiter.take("new", quota).allowed for _ in range(200))
        await limiter.settle()
        await link.aclose()
        return alone, shared

    server = RedisServer()
    with started(server):
        assert asyncio.run(scenario(server.url)) == (25, 100)


def test_a_thousand_keys_are_told_in_one_call(redis_server: RedisServer) -> None:
    async def scenario() -> int:
        link = RedisLink(redis_server.url, budget_s=1.0)
        limiter, quota = SharedLimiter(link), Quota("test", 10, 60.0)
        before = (await link.acall(lambda redis: redis.info("commandstats"))).get("cmdstat_evalsha", {"calls": 0})
        for number in range(1_000):
            limiter.take(f"many-{number}", quota)
        await limiter.settle()
        after = (await link.acall(lambda redis: redis.info("commandstats")))["cmdstat_evalsha"]
        await link.aclose()
        return int(after["calls"]) - int(before["calls"])

    assert asyncio.run(scenario()) <= 2  # two when the script had to be loaded first
