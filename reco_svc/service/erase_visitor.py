"""Use case: forget a visitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from reco_svc.domain.ports import InteractionLog, SessionStore


class EraseVisitor:
    """Erases session and log, and leaves a marker (a hash) that stops events still in the queue. Safe to repeat."""

    def __init__(
        self, log: InteractionLog, sessions: SessionStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._log = log
        self._sessions = sessions
        self._clock = clock

    def __call__(self, visitor_id: str) -> Mapping[str, int]:
        """How many records of what were erased; Unavailable when the log is away, then ask again.

        The log goes first: its marker is what makes the erasure final.
        """
        interactions = self._log.erase(visitor_id, self._clock())
        return {"session": self._sessions.erase(visitor_id), "interactions": interactions}
