"""A process that uses a shared limit as fast as it is told. Arguments: URL, units, window in s, calls a second.

The end it is told is on the monotonic clock, which all processes of a machine share. Prints what was let through, when
the first call was made and when the last.
"""

import asyncio
import sys
import time

from meshkit.limiting.quota import Quota
from meshkit.limiting.shared_limiter import SharedLimiter
from meshkit.redis.link import RedisLink


class Watch:
    """The monotonic clock, and what it showed when the limiter looked last: the machine may be busy elsewhere since."""

    def __init__(self) -> None:
        self.shown = 0.0

    def __call__(self) -> float:
        self.shown = time.monotonic()
        return self.shown


async def main(url: str, units: str, window_s: str, calls_per_s: str) -> None:
    """Says "ready", waits for the end to be named, and calls at the given pace, however often the machine is busy."""
    link, watch = RedisLink(url, budget_s=1.0), Watch()  # a busy machine is not what is measured
    limiter, quota = SharedLimiter(link, clock=watch), Quota("test", float(units), float(window_s))
    limiter.take(f"warm-up-{time.monotonic()}", quota)
    await limiter.settle()
    print("ready", flush=True)  # noqa: T201
    until = float(await asyncio.to_thread(input))

    allowed = int(limiter.take("key", quota).allowed)
    began = called = watch.shown
    while (now := time.monotonic()) < until:
        allowed += sum(limiter.take("key", quota).allowed for _ in range(round((now - called) * float(calls_per_s))))
        called = now
        await asyncio.sleep(0.005)
    await limiter.settle()
    while limiter.take("key", quota).allowed:  # what came back while the machine was busy elsewhere
        allowed += 1
    ended = watch.shown
    await limiter.settle()
    await link.aclose()
    print(allowed, began, ended)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
