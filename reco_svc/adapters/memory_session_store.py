"""SessionStore in memory: least recently active visitors go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.model import SessionStep
from reco_svc.domain.ports import ReadSessions


class MemorySessionStore:
    """See `domain.ports.SessionStore`. Holds at most `max_visitors`."""

    def __init__(self, *, silence: timedelta = timedelta(minutes=30), max_visitors: int = 200_000) -> None:
        self._silence = silence
        self._max_visitors = max_visitors
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[datetime, tuple[SessionStep, ...]]] = OrderedDict()
        self._blank = True

    def append(self, steps: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """A visitor who was silent for too long starts afresh."""
        with self._lock:
            for visitor_id, mine in steps.items():
                if mine:
                    before = self._live(visitor_id, now)
                    self._sessions[visitor_id] = (now, (*before, *mine)[-MAX_STEPS:])
                    self._sessions.move_to_end(visitor_id)
            while len(self._sessions) > self._max_visitors:
                self._sessions.popitem(last=False)

    async def read(self, visitor_ids: Collection[str], now: datetime) -> ReadSessions:
        """Waits for nothing."""
        return ReadSessions({i: steps for i in visitor_ids if (steps := self.get(i, now))})

    def is_blank(self) -> bool:
        """Since this process started."""
        return self._blank

    def restore(self, sessions: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """Each session is as old as its last step."""
        self._blank = False
        for visitor_id, steps in sessions.items():
            if not self.get(visitor_id, now):
                self.append({visitor_id: steps}, steps[-1].at or now)

    def get(self, visitor_id: str, now: datetime) -> Sequence[SessionStep]:
        """Steps of one visitor, oldest first. Reading does not prolong a session."""
        with self._lock:
            return self._live(visitor_id, now)

    def erase(self, visitor_id: str) -> int:
        """Whether silent or not."""
        with self._lock:
            _, steps = self._sessions.pop(visitor_id, (None, ()))
        return len(steps)

    def __len__(self) -> int:
        """Visitors held."""
        return len(self._sessions)

    def _live(self, visitor_id: str, now: datetime) -> tuple[SessionStep, ...]:
        last, steps = self._sessions.get(visitor_id, (now, ()))
        if now - last <= self._silence:
            return steps
        del self._sessions[visitor_id]
        return ()
