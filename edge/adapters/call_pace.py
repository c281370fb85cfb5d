"""How long after one another calls to a service begin, so that each has several requests to carry."""

from __future__ import annotations

import math

WORTH_WAITING = 4  # requests that a pause between two calls has to gather
CLOCK_S = 0.0005  # the clock and the timers of uvloop know whole milliseconds


class CallPace:
    """While at least WORTH_WAITING requests come in each `apart_s`, calls begin that long after one another; else at
    once. Times are seconds of one clock."""

    def __init__(self, apart_s: float = 0.0) -> None:
        self._apart_s = apart_s
        self._came = 0
        self._counted_from = -math.inf
        self._not_before = -math.inf

    def came(self) -> None:
        """Counts a request."""
        self._came += 1

    def began(self, now: float) -> None:
        """A call begins. How many requests came is looked at no more often than calls may begin."""
        counted_s = now - self._counted_from
        if counted_s > self._apart_s - CLOCK_S:
            busy = self._came * self._apart_s >= WORTH_WAITING * counted_s
            self._not_before = now + self._apart_s if busy else -math.inf
            self._came, self._counted_from = 0, now

    def wait_s(self, now: float) -> float:
        """How long the next call has to wait; nothing if that is not above 0."""
        return self._not_before - now
