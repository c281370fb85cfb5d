"""SessionStore on Redis that goes on in the memory of this process while Redis is away.

What comes in meanwhile is kept here, answers know it and are marked as degraded, and it is added to Redis when that is
back. Sessions from before the outage are not known during it: a copy of them here could outlive an erasure that another
replica made.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from meshkit.errors import Unavailable
from reco_svc.adapters.redis_session_store import Batch, RedisSessionStore, SessionText
from reco_svc.domain.model import SessionStep
from reco_svc.domain.ports import ReadSessions

HEALED_AT_ONCE = 50


class SpillingSessionStore:
    """See `domain.ports.SessionStore`. Holds steps of at most `max_visitors` back, for `silence` at most."""

    def __init__(self, shared: RedisSessionStore, *, silence: timedelta, max_visitors: int = 200_000) -> None:
        self._shared = shared
        self._silence = silence
        self._max_visitors = max_visitors
        self._lock = threading.Lock()
        self._held_back: OrderedDict[str, list[Batch]] = OrderedDict()

    def append(self, steps: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """Never fails; heals a little each time while something is held back."""
        try:
            self._heal(now, steps)
            self._shared.append(steps, now)
        except Unavailable:
            self._hold_back([(visitor_id, mine, now) for visitor_id, mine in steps.items() if mine])

    async def read(self, visitor_ids: Collection[str], now: datetime) -> ReadSessions:
        """What Redis has and then what is held back here; only the latter, as `degraded`, while Redis is away."""
        try:
            shared = await self._shared.read_texts(visitor_ids, now)
        except Unavailable:
            return ReadSessions({i: steps for i in visitor_ids if (steps := self._own(i, now))}, degraded=True)
        if not self._held_back:
            return ReadSessions({i: text.steps for i, text in shared.items() if text.steps})
        both = ((i, (*text.steps, *self._own(i, now, text))) for i, text in shared.items())
        return ReadSessions({i: steps for i, steps in both if steps})

    def erase(self, visitor_id: str) -> int:
        """Unavailable while Redis is away: only then is the visitor's session gone everywhere."""
        with self._lock:
            own = self._held_back.pop(visitor_id, [])
        return self._shared.erase(visitor_id) + sum(len(steps) for _, steps, _ in own)

    def is_blank(self) -> bool:
        """As Redis says."""
        return self._shared.is_blank()

    def restore(self, sessions: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """Into Redis."""
        self._shared.restore(sessions, now)

    def _heal(self, now: datetime, first: Collection[str]) -> None:
        """Brings what is held back of the visitors `first`, and of up to HEALED_AT_ONCE others, to Redis."""
        if not self._held_back:
            return
        with self._lock:
            wanted = {*list(self._held_back)[:HEALED_AT_ONCE], *first} & self._held_back.keys()
            taken = [batch for visitor_id in wanted for batch in self._held_back.pop(visitor_id)]
        recent = [batch for batch in taken if now - batch[2] <= self._silence]
        try:
            self._shared.append_batches(recent, again=True)
        except Unavailable:
            self._hold_back(recent)
            raise

    def _hold_back(self, batches: Sequence[Batch]) -> None:
        with self._lock:
            for batch in batches:
                self._held_back.setdefault(batch[0], []).append(batch)
                self._held_back.move_to_end(batch[0])
            while len(self._held_back) > self._max_visitors:
                self._held_back.popitem(last=False)

    def _own(self, visitor_id: str, now: datetime, text: SessionText | None = None) -> list[SessionStep]:
        """Steps held back that `text` does not have (an append may be made and not answered in time)."""
        with self._lock:
            batches = list(self._held_back.get(visitor_id, ()))
        erased, known = (text.erased, text.appended) if text else (None, frozenset[datetime]())
        return [
            step
            for _, steps, at in batches
            if now - at <= self._silence and at not in known and (erased is None or at > erased)
            for step in steps
        ]
