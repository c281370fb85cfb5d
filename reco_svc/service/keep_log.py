"""Keeping the interaction log: room for the months to come, and the end of those that are old enough."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from meshkit.errors import RecomeshError
from reco_svc.domain.ports import InteractionUpkeep

log = structlog.get_logger()
EVERY = timedelta(hours=1)
AGAIN = timedelta(minutes=1)


class KeepLog:
    """Due every hour, and a minute after it failed. Several workers may do it at once: it is done once."""

    def __init__(self, store: InteractionUpkeep, retention_days: int, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._retention_days = retention_days
        self._clock = clock
        self._due: datetime | None = None

    def __call__(self) -> bool:
        """Does it if it is due; True if it was done. Trouble of the store is logged, and none of the caller's."""
        now = self._clock()
        if self._due is not None and now < self._due:
            return False
        self._due = now + AGAIN
        try:
            self._store.prepare(now)
            if self._retention_days:
                forgotten = self._store.forget_before(now - timedelta(days=self._retention_days))
                if forgotten:
                    log.info("old_interactions_forgotten", count=forgotten)
        except RecomeshError as error:
            log.warning("log_not_kept", reason=error.reason, error=error.message)
            return False
        self._due = now + EVERY
        return True
