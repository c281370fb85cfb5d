"""The generic cell rate algorithm (ITU-T I.371): one number for each key, exact, without windows that begin anew.

The number is when all units of the key will be back (its theoretical arrival time). A call moves it on by what it
costs, and is refused if that would put it more than a window ahead.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from meshkit.limiting.quota import Decision, Quota

_ROUNDING_S = 1e-9


class RateLimiter(Protocol):
    """Decides in microseconds, on one event loop or thread."""

    def take(self, key: str, quota: Quota, cost: float = 1.0) -> Decision:
        """Uses `cost` units of `key` if they are there. One call may cost more than the quota: it is then let through
        when all units are there, and those that come after it wait the longer. Cost 0 only looks."""
        ...


class MemoryLimiter:
    """See `RateLimiter`. Keeps `max_keys`, those used last; times are in seconds on `clock`."""

    def __init__(self, *, max_keys: int = 200_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_keys = max_keys
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, quota: Quota, cost: float = 1.0) -> Decision:
        """See `RateLimiter`."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now)
        room_s = quota.window_s - (full_at - now)
        needed_s = min(cost or 1.0, quota.limit) * quota.interval_s
        if needed_s > room_s + _ROUNDING_S:
            left = max(0, int(room_s / quota.interval_s + _ROUNDING_S))
            return Decision(quota, False, left, full_at - now, needed_s - room_s)
        if cost:
            full_at += cost * quota.interval_s
            self.set(key, full_at)
        left = max(0, int((quota.window_s - (full_at - now)) / quota.interval_s + _ROUNDING_S))
        return Decision(quota, True, left, full_at - now)

    def set(self, key: str, full_at: float) -> None:
        """All units of a key will be back at that time of `clock`."""
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._max_keys:
            self._full_at.popitem(last=False)
