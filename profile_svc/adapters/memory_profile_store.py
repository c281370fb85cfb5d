"""Preferences and segments in memory: for tests, under the same contract as the SQL store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from profile_svc.domain.model import ErasureOrder, ErasureReceipt, PreferenceChange, Preferences, Segment
from profile_svc.domain.rules import visitor_hash


@dataclass
class MemoryProfileStore:
    """What the two repositories below share."""

    position: int = 0
    touch_due: bool = False
    changes: dict[str, PreferenceChange] = field(default_factory=dict)  # by visitor_id
    erased_at: dict[str, datetime] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    orders: dict[str, ErasureOrder] = field(default_factory=dict)  # by receipt_id
    receipts: dict[str, list[ErasureReceipt]] = field(default_factory=dict)  # by visitor hash
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, visitor_id: str, preferences: Preferences | None) -> None:
        """Stores a state at the present position."""
        self.changes[visitor_id] = PreferenceChange(self.position, visitor_id, preferences)


class MemoryPreferenceRepository:
    """PreferenceRepository over a dict."""

    def __init__(self, store: MemoryProfileStore) -> None:
        self._store = store

    def get(self, visitor_id: str) -> Preferences | None:
        """See port."""
        change = self._store.changes.get(visitor_id)
        return change.preferences if change else None

    def change(self, visitor_id: str, at: datetime, edit: Callable[[Preferences], Preferences]) -> Preferences:
        """See port."""
        with self._store.lock:
            current = self.get(visitor_id)
            edited = edit(current or Preferences(visitor_id))
            if edited == current:
                return edited
            self._store.position += 1
            made = replace(edited, visitor_id=visitor_id, updated_at=at, revision=self._store.position)
            self._store.put(visitor_id, made)
            self._store.erased_at.pop(visitor_id, None)
            return made

    def erase(self, visitor_id: str, at: datetime, receipt_id: str) -> int:
        """See port."""
        with self._store.lock:
            self._store.orders[receipt_id] = ErasureOrder(receipt_id, visitor_id, at)
            if self.get(visitor_id) is None:
                return 0
            self._store.position += 1
            self._store.put(visitor_id, None)
            self._store.erased_at[visitor_id] = at
            return 1

    def forget_tombstones(self, before: datetime) -> int:
        """See port."""
        with self._store.lock:
            old = [visitor_id for visitor_id, at in self._store.erased_at.items() if at < before]
            for visitor_id in old:
                del self._store.erased_at[visitor_id], self._store.changes[visitor_id]
            return len(old)

    def changes_after(self, revision: int, *, limit: int) -> Sequence[PreferenceChange]:
        """See port."""
        with self._store.lock:
            later = [c for c in self._store.changes.values() if c.revision > revision]
        return sorted(later, key=lambda c: c.revision)[:limit]

    def visitors(self, *, containing: str, after_id: str, limit: int) -> Sequence[Preferences]:
        """See port."""
        with self._store.lock:
            found = [
                c.preferences
                for visitor_id, c in sorted(self._store.changes.items())
                if c.preferences and visitor_id > after_id and containing.lower() in visitor_id.lower()
            ]
        return found[:limit]

    def count(self) -> int:
        """See port."""
        return sum(c.preferences is not None for c in list(self._store.changes.values()))

    def touch_all(self) -> int:
        """See port."""
        with self._store.lock:
            live = sorted((c for c in self._store.changes.values() if c.preferences), key=lambda c: c.revision)
            for change in live:
                self._store.position += 1
                self._store.put(change.visitor_id, change.preferences)
            self._store.touch_due = False
            return len(live)

    def add_receipt(self, visitor_id: str, receipt: ErasureReceipt, *, settled: bool) -> None:
        """See port."""
        with self._store.lock:
            if settled:
                self.settle(receipt.receipt_id)
            self._store.receipts.setdefault(visitor_hash(visitor_id), []).append(receipt)

    def open_orders(self, before: datetime, *, limit: int) -> Sequence[ErasureOrder]:
        """See port."""
        with self._store.lock:
            found = [order for order in self._store.orders.values() if order.at < before]
        return sorted(found, key=lambda order: (order.at, order.receipt_id))[:limit]

    def settle(self, receipt_id: str) -> None:
        """See port."""
        with self._store.lock:
            self._store.orders.pop(receipt_id, None)

    def receipts(self, visitor_id: str) -> Sequence[ErasureReceipt]:
        """See port."""
        kept = self._store.receipts.get(visitor_hash(visitor_id), [])
        return sorted(kept, key=lambda r: r.requested_at, reverse=True)

    def ping(self) -> None:
        """Memory is always there."""


class MemorySegmentRepository:
    """SegmentRepository over a dict."""

    def __init__(self, store: MemoryProfileStore) -> None:
        self._store = store

    def all(self) -> Sequence[Segment]:
        """See port."""
        return [segment for _, segment in sorted(self._store.segments.items())]

    def save(self, segment: Segment) -> None:
        """See port."""
        with self._store.lock:
            was = self._store.segments.get(segment.name)
            self._store.segments[segment.name] = segment
            self._store.touch_due |= was is None or was.filter != segment.filter

    def delete(self, name: str) -> bool:
        """See port."""
        with self._store.lock:
            existed = self._store.segments.pop(name, None) is not None
            self._store.touch_due |= existed
            return existed

    def touch_due(self) -> bool:
        """See port."""
        return self._store.touch_due
