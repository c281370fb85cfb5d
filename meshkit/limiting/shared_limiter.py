"""Limits that several processes share through Redis without a round trip for any call (ADR 11).

A call is decided from memory. What was used is told to Redis some milliseconds later, for all keys in one script, which
answers what all processes used together. What two processes let through without knowing of each other is a debt that
both then wait for: a burst may be a few calls over, the sum over a window is not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import cast

import structlog

from meshkit.errors import Unavailable
from meshkit.limiting.gcra import MemoryLimiter
from meshkit.limiting.quota import Decision, Quota
from meshkit.limiting.remote_clock import RemoteClock
from meshkit.redis.link import RedisLink

log = structlog.get_logger()
_KEY = "recomesh:limit:"
TELL_AFTER_S = 0.01
KEYS_AT_ONCE = 1_000

# KEYS: limits. ARGV: µs by which each moves on. Answers when all units of each are back and then what time it
# is, in µs on the clock of Redis.
_MOVE_ON = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = {}
for i, key in ipairs(KEYS) do
  local full_at = math.max(tonumber(redis.call('GET', key)) or 0, now) + ARGV[i]
  redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1)
  full[i] = full_at
end
full[#KEYS + 1] = now
return full
"""


class SharedLimiter:
    """See `gcra.RateLimiter`; on one event loop. While Redis is away each call costs `replicas` times as much, so that
    `replicas` processes together let through what the quota allows."""

    def __init__(
        self,
        link: RedisLink,
        *,
        replicas: int = 1,
        tell_after_s: float = TELL_AFTER_S,
        max_keys: int = 200_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._replicas = replicas
        self._tell_after_s = tell_after_s
        self._clock = clock
        self._redis_clock = RemoteClock()
        self._own = MemoryLimiter(max_keys=max_keys, clock=clock)
        self._untold_us: dict[str, int] = {}
        self._telling: asyncio.Task[None] | None = None

    def take(self, key: str, quota: Quota, cost: float = 1.0) -> Decision:
        """See `gcra.RateLimiter`."""
        if self._link.away:
            return self._own.take(key, _divided(quota, self._replicas), cost)
        decision = self._own.take(key, quota, cost)
        if decision.allowed and cost:
            self._untold_us[key] = self._untold_us.get(key, 0) + round(cost * quota.interval_s * 1e6)
            if self._telling is None:
                self._telling = asyncio.get_running_loop().create_task(self._tell())
        return decision

    async def settle(self) -> None:
        """Until Redis knows all that was used, or is away."""
        while self._telling is not None:
            await asyncio.shield(self._telling)

    async def _tell(self) -> None:
        try:
            while self._untold_us:
                await asyncio.sleep(self._tell_after_s)
                told, self._untold_us = self._untold_us, {}
                keys = list(told)
                for start in range(0, len(keys), KEYS_AT_ONCE):
                    await self._tell_some(keys[start : start + KEYS_AT_ONCE], told)
        except Unavailable as error:
            # What was not told is lost to the other processes and still counts here.
            log.debug("limits_not_told", error=error.message)
        finally:
            self._telling = None

    async def _tell_some(self, keys: Sequence[str], told: dict[str, int]) -> None:
        names, moves = [_KEY + key for key in keys], [told[key] for key in keys]
        asked = self._clock()
        answer = await self._link.acall(lambda redis: redis.register_script(_MOVE_ON)(keys=names, args=moves))
        *full_us, now_us = cast(list[int], answer)
        self._redis_clock.observe(asked, self._clock(), now_us / 1e6)
        for key, full in zip(keys, full_us, strict=True):
            self._own.set(key, self._redis_clock.local(full / 1e6) + self._untold_us.get(key, 0) / 1e6)


def _divided(quota: Quota, replicas: int) -> Quota:
    """One process's part of a quota, with the same window."""
    if replicas == 1:
        return quota
    return Quota(quota.name, max(1.0, quota.limit / replicas), quota.window_s)
