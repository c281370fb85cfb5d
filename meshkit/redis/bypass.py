"""When to leave a store alone: after a failure it is not asked again until a probe in the background has answered.

A caller pays for an outage once. No request is ever the probe, so a store that hangs costs nobody a second time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0


class Bypass:
    """Open after `failed`, closed again when `probe` answers True. Thread-safe; times are on the monotonic clock.

    The first wait before a probe is `first_wait_s` and doubles with each probe that fails, up to `longest_wait_s`.
    `spawn` runs the probe where it may block (by default in a thread of its own).
    `changed` hears of each change: True when the store went away, False when it is back.
    """

    def __init__(
        self,
        probe: Callable[[], bool],
        *,
        changed: Callable[[bool], None] = lambda away: None,
        first_wait_s: float = FIRST_WAIT_S,
        longest_wait_s: float = LONGEST_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
        spawn: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._probe = probe
        self._changed = changed
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._clock = clock
        self._spawn = spawn or _in_a_thread
        self._lock = threading.Lock()
        self._away = False
        self._probing = False
        self._wait_s = first_wait_s
        self._probe_at = 0.0

    @property
    def away(self) -> bool:
        """True while the store is left alone. Starts the next probe when it is time."""
        if not self._away:
            return False
        with self._lock:
            due = self._away and not self._probing and self._clock() >= self._probe_at
            self._probing = self._probing or due
        if due:
            self._spawn(self._try)
        return self._away

    def failed(self) -> None:
        """The store did not answer as it should."""
        with self._lock:
            if self._away:
                return
            self._away = True
            self._wait_s = self._first_wait_s
            self._probe_at = self._clock() + self._wait_s
        self._changed(True)

    def _try(self) -> None:
        answers = self._probe()
        with self._lock:
            self._probing = False
            if answers:
                self._away = False
            else:
                self._wait_s = min(self._wait_s * 2, self._longest_wait_s)
                self._probe_at = self._clock() + self._wait_s
        if answers:
            self._changed(False)


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="redis-probe", daemon=True).start()
