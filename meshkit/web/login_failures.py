"""How often an address may log in wrongly at an admin plane before it has to wait."""

from __future__ import annotations

import threading

from meshkit.errors import ResourceExhausted
from meshkit.limiting.gcra import MemoryLimiter
from meshkit.limiting.quota import Quota
from meshkit.web.client_address import site_of


class LoginFailures:
    """Thread-safe. `per_minute` wrong logins of an address are looked at, then it gets 429 until one may come again."""

    def __init__(self, per_minute: float = 10.0) -> None:
        self._quota = Quota.per_minute("failed logins", per_minute, window_s=60.0)
        self._limiter = MemoryLimiter(max_keys=10_000)
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """ResourceExhausted for an address that has to wait."""
        with self._lock:
            decision = self._limiter.take(site_of(address), self._quota, 0)
        if not decision.allowed:
            raise ResourceExhausted(
                f"too many failed logins; try again in {decision.retry_after_s:.0f} s",
                retry_after_s=decision.retry_after_s,
            )

    def count(self, address: str) -> None:
        """Notes a wrong login."""
        with self._lock:
            self._limiter.take(site_of(address), self._quota)
