"""The one way to Redis. Each call has a budget; the first that breaks it opens the bypass for all of this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import redis
import redis.asyncio
import structlog
from prometheus_client import Counter, Gauge, Histogram
from redis.backoff import NoBackoff
from redis.retry import Retry

from meshkit.errors import Unavailable
from meshkit.redis.bypass import Bypass

log = structlog.get_logger()
PART = "redis"
BUDGET_S = 0.05
GRACE_S = 0.005
MAX_CONNECTIONS = 64
T = TypeVar("T")

CALLS = Counter("recomesh_redis_calls_total", "Calls to Redis: ok, failed, or bypassed while it is away", ["outcome"])
SECONDS = Histogram(
    "recomesh_redis_seconds", "Time of a call to Redis", buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)
)
AWAY = Gauge("recomesh_redis_away", "1 while this process leaves Redis alone")
_OK, _FAILED, _BYPASSED = (CALLS.labels(outcome) for outcome in ("ok", "failed", "bypassed"))


class RedisLink:
    """Clients of one Redis, blocking and asyncio, that share a bypass. Values are bytes.

    A call takes `budget_s` at most and is never sent twice. What goes wrong is `Unavailable("redis")`: a refused or
    hung connection, an error answer, a bypass. The asyncio client belongs to the loop that uses it first.
    """

    def __init__(self, url: str, *, budget_s: float = BUDGET_S) -> None:
        self._budget_s = budget_s
        options: dict[str, Any] = {
            "retry_on_timeout": False,
            "protocol": 2,  # no greeting: a new connection costs no round trip beyond its own
            "driver_info": None,
            "max_connections": MAX_CONNECTIONS,
        }
        self._blocking = redis.Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_timeout=budget_s, socket_connect_timeout=budget_s, **options
        )
        self._asyncio = redis.asyncio.Redis.from_url(
            url,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
            socket_timeout=None,  # `acall` has the budget
            socket_connect_timeout=None,
            **options,
        )
        self._bypass = Bypass(self._ping, changed=_tell)

    @property
    def away(self) -> bool:
        """True while Redis is left alone."""
        return self._bypass.away

    def call(self, work: Callable[[redis.Redis], T]) -> T:
        """What `work` does with the blocking client. Unavailable."""
        with self._judged():
            return work(self._blocking)

    async def acall(self, work: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        """What `work` does with the asyncio client. Unavailable."""
        with self._judged():
            async with _within(self._budget_s):
                return await work(self._asyncio)

    async def aclose(self) -> None:
        """Closes the connections of both clients."""
        with suppress(redis.RedisError, OSError):  # nothing is lost by a connection that can not say goodbye
            await self._asyncio.aclose()
        self.close()

    def close(self) -> None:
        """Closes the connections of the blocking client."""
        self._blocking.close()

    def _ping(self) -> bool:
        try:
            return bool(self._blocking.ping())
        except (redis.RedisError, OSError):
            return False

    @contextmanager
    def _judged(self) -> Iterator[None]:
        if self._bypass.away:
            _BYPASSED.inc()
            raise Unavailable(PART, "Redis is away and left alone for a moment")
        started = time.perf_counter()
        try:
            yield
        except (redis.RedisError, OSError, TimeoutError) as error:
            _FAILED.inc()
            self._bypass.failed()
            raise Unavailable(PART, f"Redis: {error or type(error).__name__}") from error
        _OK.inc()
        SECONDS.observe(time.perf_counter() - started)


@asynccontextmanager
async def _within(budget_s: float) -> AsyncIterator[None]:
    """TimeoutError after `budget_s`, but only when the loop then had GRACE_S to look at what has arrived: a loop that
    was busy for as long as the budget says nothing about Redis."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:

        def over() -> None:
            timers.append(loop.call_later(GRACE_S, lambda: limit.reschedule(loop.time())))

        timers = [loop.call_later(budget_s, over)]
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()


def _tell(away: bool) -> None:
    AWAY.set(1 if away else 0)
    if away:
        log.warning("redis_away", effect="left alone until it answers again")
    else:
        log.info("redis_back")
