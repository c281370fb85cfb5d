"""What visitors bought, in memory for the hot path, filled from the log behind its back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

MAX_WANTED = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    products: tuple[str, ...]
    loaded_at: datetime


class PurchaseMemory:
    """The `PurchaseHistory` of the visitors asked about last.

    A visitor who is not in memory, or was loaded more than `refresh_after` ago, is noted as wanted; whoever may read
    the log takes `wanted()` and hands in what it finds by `loaded`. Purchases of the running session come by the
    session, so `refresh_after` should be shorter than a session lives. Used by the thread that answers.
    """

    def __init__(self, *, visitors: int = 200_000, refresh_after: timedelta = timedelta(minutes=15)) -> None:
        self._visitors = visitors
        self._refresh_after = refresh_after
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._wanted: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def recent(self, visitor_id: str, now: datetime) -> Sequence[str]:
        """Products bought and not sent back, newest first; empty while they are not in memory yet."""
        entry = self._entries.get(visitor_id)
        if entry is None or now - entry.loaded_at > self._refresh_after:
            self._want(visitor_id)
        if entry is None:
            return ()
        self._entries.move_to_end(visitor_id)
        return entry.products

    def wanted(self, limit: int = 100) -> list[str]:
        """Takes up to `limit` visitors to be loaded, those asked about last first."""
        chosen = list(islice(reversed(self._wanted), limit))
        for visitor_id in chosen:
            del self._wanted[visitor_id]
        return chosen

    def loaded(self, visitor_id: str, products: Sequence[str], now: datetime) -> None:
        """Takes what the log says of a visitor, newest first."""
        self._entries[visitor_id] = _Entry(tuple(products), now)
        self._entries.move_to_end(visitor_id)
        while len(self._entries) > self._visitors:
            self._entries.popitem(last=False)

    def forget(self, visitor_id: str) -> None:
        """Forgets a visitor who asked for it."""
        self._entries.pop(visitor_id, None)
        self._wanted.pop(visitor_id, None)

    def _want(self, visitor_id: str) -> None:
        self._wanted[visitor_id] = None
        self._wanted.move_to_end(visitor_id)
        if len(self._wanted) > MAX_WANTED:
            self._wanted.popitem(last=False)
