"""A circuit breaker: stops asking a part that fails or crawls, and finds out by a few probes when it is back.

The states and the two rates are those of resilience4j (https://resilience4j.readme.io/docs/circuitbreaker), the pattern
is M. Nygard's ("Release It!", 2007). Nothing is locked and nothing runs while a call is under way: a call takes a
permit, and settles it when it ends. For one event loop.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from meshkit.errors import CircuitOpen


class CircuitState(StrEnum):
    """closed: calls go through; open: none does; half_open: probes do."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a circuit opens, and how it closes again.

    Over the last `window_s` seconds and at least `minimum_calls` calls, it opens when `failure_share` of them failed,
    or `slow_share` of them took `slow_s` seconds or longer; and when the last `minimum_calls` of them all failed, or a
    busy part that dies would first have to outweigh its good calls of the window. A good call never opens it. After
    `open_s` seconds one probe at a time goes through; `probes` good ones in a row close it, a bad one opens it again.
    """

    slow_s: float
    window_s: float = 10.0
    minimum_calls: int = 6
    failure_share: float = 0.5
    slow_share: float = 0.8
    open_s: float = 0.5
    probes: int = 2


class Permit:
    """Leave for one call. Settle it once; one that is never settled (a cancelled call) is given back by `release`."""

    __slots__ = ("_breaker", "_era", "_open", "_started", "probe")

    def __init__(self, breaker: CircuitBreaker, era: int, started: float, *, probe: bool) -> None:
        self._breaker = breaker
        self._era = era
        self._started = started
        self._open = True
        self.probe = probe

    def settle(self, *, failed: bool) -> None:
        """The call ended; its time is taken from the permit's beginning."""
        if self._open:
            self._open = False
            self._breaker._settled(self._era, self._started, failed=failed, probe=self.probe)

    def release(self) -> None:
        """The call says nothing about the part: it was given up by its caller, or never sent."""
        if self._open:
            self._open = False
            self._breaker._released(self._era, probe=self.probe)


@dataclass(slots=True)
class _Slice:
    """What happened in a tenth of the window."""

    began: float
    calls: int = 0
    failed: int = 0
    slow: int = 0


SLICES = 10


class CircuitBreaker:
    """The circuit to one method of one part. `changed` hears of each new state."""

    def __init__(
        self,
        part: str,
        policy: BreakerPolicy,
        *,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[CircuitState], None] = lambda state: None,
    ) -> None:
        self._part = part
        self._policy = policy
        self._clock = clock
        self._changed = changed
        self._state = CircuitState.CLOSED
        self._era = 0  # a call that began in an earlier era, before the state changed, has no say in this one
        self._slices: deque[_Slice] = deque()
        self._opened = 0.0
        self._failed_in_a_row = 0
        self._probing = False
        self._good_probes = 0

    @property
    def state(self) -> CircuitState:
        """The state now; an open circuit whose time is over stays open until somebody asks."""
        return self._state

    @property
    def counts(self) -> tuple[int, int, int]:
        """Calls, failed calls and slow calls in the window."""
        self._forget_old(self._clock())
        totals = [(s.calls, s.failed, s.slow) for s in self._slices]
        return sum(t[0] for t in totals), sum(t[1] for t in totals), sum(t[2] for t in totals)

    def admit(self) -> Permit:
        """Leave for a call now. Raises CircuitOpen at once while the part is given time, or another probes it."""
        now = self._clock()
        if self._state is CircuitState.CLOSED:
            return Permit(self, self._era, now, probe=False)
        if self._state is CircuitState.OPEN:
            left_s = self._opened + self._policy.open_s - now
            if left_s > 0:
                raise CircuitOpen(self._part, retry_after_s=left_s)
            self._become(CircuitState.HALF_OPEN)
        if self._probing:
            raise CircuitOpen(self._part, retry_after_s=self._policy.open_s)
        self._probing = True
        return Permit(self, self._era, now, probe=True)

    def _settled(self, era: int, started: float, *, failed: bool, probe: bool) -> None:
        if era != self._era:
            return
        now = self._clock()
        slow = now - started >= self._policy.slow_s
        if probe:
            self._probing = False
            self._probed(good=not (failed or slow))
            return
        self._count(now, failed=failed, slow=slow)
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        if not (failed or slow):
            return
        calls, failures, slow_calls = self.counts
        policy = self._policy
        many = failures >= policy.failure_share * calls or slow_calls >= policy.slow_share * calls
        if (calls >= policy.minimum_calls and many) or min(self._failed_in_a_row, failures) >= policy.minimum_calls:
            self._open(now)

    def _released(self, era: int, *, probe: bool) -> None:
        if probe and era == self._era:
            self._probing = False

    def _probed(self, *, good: bool) -> None:
        if not good:
            self._open(self._clock())
            return
        self._good_probes += 1
        if self._good_probes >= self._policy.probes:
            self._become(CircuitState.CLOSED)

    def _open(self, now: float) -> None:
        self._opened = now
        self._become(CircuitState.OPEN)

    def _become(self, state: CircuitState) -> None:
        self._state = state
        self._era += 1
        self._probing = False
        self._good_probes = 0
        self._failed_in_a_row = 0
        self._slices.clear()
        self._changed(state)

    def _count(self, now: float, *, failed: bool, slow: bool) -> None:
        if not self._slices or now - self._slices[-1].began >= self._policy.window_s / SLICES:
            self._slices.append(_Slice(now))
        current = self._slices[-1]
        current.calls += 1
        current.failed += failed
        current.slow += slow

    def _forget_old(self, now: float) -> None:
        while self._slices and now - self._slices[0].began > self._policy.window_s:
            self._slices.popleft()
