"""Admission control: how many requests a process works on at once, so that under too many it still does its best.

The sign of overload is time in the queue, as in CoDel (Nichols and Jacobson, "Controlling Queue Delay", 2012) and in
WeChat's DAGOR (Zhou et al., "Overload Control for Scaling WeChat Microservices", 2018): in a process with one event
loop that is the time by which the loop runs its timers late. While the loop is late, the limit on running requests
shrinks; while it is not, the limit grows. A request beyond the limit is refused at once, the least urgent kind first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

import structlog
from prometheus_client import Counter, Gauge

from meshkit.errors import Overloaded

log = structlog.get_logger()
LIMIT = Gauge("recomesh_admission_limit", "Most requests worked on at once now")
LATE = Gauge("recomesh_loop_late_seconds", "By how much the event loop runs its timers late, mean over 0.1 s")
SHED = Counter("recomesh_shed_total", "Requests refused because of overload", ["priority"])
TICK_S = 0.01
TICKS = 10  # of them make a span, after which the limit is set anew
SPAN_S = TICK_S * TICKS  # a span of late ticks ends earlier: the later the loop, the sooner it must be helped
LEAST_CUT, MOST_CUT = 0.9, 0.5  # what an overloaded span leaves of the limit
TELL_S = 1.0  # between two log lines about what was refused


class Priority(IntEnum):
    """Who goes first: shoppers, then imports and other bulk work, then people in the admin planes."""

    SHOPPER = 0
    BULK = 1
    ADMIN = 2


SHARES = {Priority.SHOPPER: 1.0, Priority.BULK: 0.5, Priority.ADMIN: 0.25}  # of the limit


class Admission:
    """The limit of one process.

    When timers were `target_s` late in the mean of two spans in a row, the limit falls to what ran times `target_s`
    over the lateness, but by no less than a tenth and no more than half, never below `fewest`; in a span that was not
    late it grows by a tenth, up to `most`. What was refused is told in one log line a second: a line for each would
    cost more than the refusal.
    """

    def __init__(
        self,
        *,
        target_s: float = 0.01,
        fewest: int = 16,
        most: int = 512,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target_s = target_s
        self._fewest = fewest
        self._most = most
        self._clock = clock
        self._limit = float(most)
        self._running = 0
        self._peak = 0
        self._late = 0.0
        self._ticks = 0
        self._span_began = clock()
        self._late_before = False
        self._shed = [SHED.labels(priority.name.lower()) for priority in Priority]
        self._refused = [0 for _ in Priority]  # since the last log line
        self._told_at = clock() - TELL_S
        self.overloaded = False
        LIMIT.set(most)

    @property
    def limit(self) -> int:
        """Most requests at once now."""
        return int(self._limit)

    @property
    def full(self) -> bool:
        """True if there is no room even for what is most urgent."""
        return self._running >= self._limit

    def start(self) -> None:
        """Begins to watch the running event loop; ends with it."""
        self._wait(asyncio.get_running_loop())

    def enter(self, priority: Priority) -> bool:
        """Takes a place, which `leave` gives back. False, and counted as refused, if there is no room for its kind."""
        if self._running >= max(1.0, self._limit * SHARES[priority]):
            self._shed[priority].inc()
            self._refused[priority] += 1
            return False
        self._running += 1
        if self._running > self._peak:
            self._peak = self._running
        return True

    def leave(self) -> None:
        """Gives a place back."""
        self._running -= 1

    @contextmanager
    def admitted(self, priority: Priority) -> Iterator[None]:
        """Has a place while the context is open. Raises Overloaded at once if there is no room for its kind."""
        if not self.enter(priority):
            raise Overloaded
        try:
            yield
        finally:
            self.leave()

    async def turn(self, *, patience_s: float = 1.0) -> None:
        """Bulk work waits here between two steps while the process is overloaded, so long that it still gets on."""
        ends = self._clock() + patience_s
        while self.overloaded and self._clock() < ends:  # noqa: ASYNC110  (what changes is the load, not a state)
            await asyncio.sleep(TICK_S * TICKS)

    def ticked(self, late_s: float) -> None:
        """A timer ran `late_s` seconds late."""
        self._late += max(0.0, late_s)
        self._ticks += 1
        now = self._clock()
        if self._ticks < TICKS and now - self._span_began < SPAN_S:
            return
        late_s = self._late / self._ticks
        is_late = late_s > self._target_s
        self.overloaded = is_late and self._late_before
        if self.overloaded:
            left = max(MOST_CUT, min(LEAST_CUT, self._target_s / late_s))
            self._limit = max(float(self._fewest), left * min(self._limit, self._peak))
        elif not is_late:
            self._limit = min(float(self._most), self._limit * 1.1 + 1)
        self._late_before = is_late
        self._late, self._ticks, self._peak, self._span_began = 0.0, 0, self._running, now
        LIMIT.set(self._limit)
        LATE.set(late_s)
        self._tell(now)

    def _tell(self, now: float) -> None:
        if any(self._refused) and now - self._told_at >= TELL_S:
            counts = {priority.name.lower(): self._refused[priority] for priority in Priority}
            log.warning("overloaded", limit=self.limit, **{f"refused_{name}": n for name, n in counts.items() if n})
            self._refused = [0 for _ in Priority]
            self._told_at = now

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._clock() + TICK_S

        def tick() -> None:
            self.ticked(self._clock() - due)
            self._wait(loop)

        loop.call_later(TICK_S, tick)
