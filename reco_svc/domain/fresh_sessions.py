"""Sessions since the snapshot, so that one that runs or has just ended is a neighbour of the next.

Bounded: of more than MOST_SESSIONS the oldest are dropped, of each session the newest LONGEST products are kept, and of
event ids, which tell what came before, the newest MOST_IDS.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

import numpy as np

from reco_svc.domain.model import Interaction
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.ports import Vectors
from reco_svc.domain.snapshot import SessionIndex, index_of

MOST_SESSIONS = 5_000
MOST_IDS = 50_000
LONGEST = 50
GAP_S = 1_800.0


@dataclass(slots=True)
class _Session:
    key: tuple[str, str]
    last_s: float
    products: dict[str, None] = field(default_factory=dict)


class FreshSessions:
    """Takes events in order of time; read as a SessionIndex over the rows of a table. Safe from any thread.

    Products are kept by id, since a new snapshot gives them new rows.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[int, _Session] = OrderedDict()
        self._running: dict[tuple[str, str], int] = {}
        self._next = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self.version = 0  # grows with every change
        self.newest_s = 0.0

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def known(self) -> Container[str]:
        """Ids of the events taken lately. For the thread that adds them."""
        return self._seen

    def add(self, events: Sequence[Interaction]) -> None:
        """Takes events; the same again does no harm. Removals and refunds take a product out of its session."""
        with self._lock:
            for event in events:
                if event.event_id in self._seen:
                    continue
                self._seen[event.event_id] = None
                weight = DEFAULT_WEIGHTS.get(event.type, 0.0)
                if event.product_id and weight:
                    self._take(event, wanted=weight > 0)
            while len(self._sessions) > MOST_SESSIONS:
                self._drop(next(iter(self._sessions)))
            while len(self._seen) > MOST_IDS:
                self._seen.popitem(last=False)

    def forget(self, visitor_id: str) -> None:
        """Drops the sessions of a visitor."""
        with self._lock:
            for number in [number for number, session in self._sessions.items() if session.key[0] == visitor_id]:
                self._drop(number)

    def forget_until(self, at_s: float) -> None:
        """Drops sessions whose last event is not later: a snapshot has them now."""
        with self._lock:
            for number in [number for number, session in self._sessions.items() if session.last_s <= at_s]:
                self._drop(number)

    def index(self, row_of: Callable[[str], int], rows: int, idf: Vectors) -> SessionIndex:
        """Sessions of at least two known products over `rows` rows; `idf` (up to rows,) as the snapshot has it, the
        greatest of it for what the snapshot never saw in a session."""
        with self._lock:
            sessions = [list(session.products) for session in self._sessions.values() if len(session.products) > 1]
        known = [[row for row in map(row_of, products) if 0 <= row < rows] for products in sessions]
        kept = [found for found in known if len(found) > 1]
        rare = float(idf.max()) if len(idf) else 1.0
        full = np.full(rows, rare if rare > 0 else 1.0, np.float32)
        full[: len(idf)] = np.where(idf > 0, idf, full[: len(idf)])
        return index_of(kept, full)

    def _take(self, event: Interaction, *, wanted: bool) -> None:
        key, at_s = (event.visitor_id, event.session_id), event.at.timestamp()
        number = self._running.get(key)
        session = self._sessions.get(number) if number is not None else None
        if session is None or (not event.session_id and at_s - session.last_s > GAP_S):
            if not wanted:
                return
            number, self._next = self._next, self._next + 1
            session = self._sessions[number] = _Session(key, at_s)
            self._running[key] = number
        assert number is not None
        session.products.pop(event.product_id, None)
        if wanted:
            session.products[event.product_id] = None
            if len(session.products) > LONGEST:
                session.products.pop(next(iter(session.products)))
        session.last_s = max(session.last_s, at_s)
        self.newest_s = max(self.newest_s, at_s)
        self._sessions.move_to_end(number)
        self.version += 1

    def _drop(self, number: int) -> None:
        session = self._sessions.pop(number)
        if self._running.get(session.key) == number:
            del self._running[session.key]
        self.version += 1
