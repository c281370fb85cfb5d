"""What profiles need from outside. Adapters: SQLAlchemy and memory (preferences, segments), gRPC (eraser).

Every method may raise `meshkit.errors.Unavailable` when its store is away. All are thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from profile_svc.domain.model import ErasureOrder, ErasureReceipt, PreferenceChange, Preferences, Segment


class PreferenceRepository(Protocol):
    """Preferences of visitors, in a compacted change feed.

    Two numbers grow: `Preferences.revision` with each change of what a visitor stated, and the position in the feed
    (`PreferenceChange.revision`), which a change of a segment moves too. Positions become visible in their order.
    """

    def get(self, visitor_id: str) -> Preferences | None:
        """None: unknown or erased."""
        ...

    def change(self, visitor_id: str, at: datetime, edit: Callable[[Preferences], Preferences]) -> Preferences:
        """Reads (empty when unknown), applies `edit` and stores, in one transaction; concurrent changes queue up.

        An edit that changes nothing stores nothing and keeps the revision. What `edit` raises undoes all.
        """
        ...

    def erase(self, visitor_id: str, at: datetime, receipt_id: str) -> int:
        """Deletes preferences, leaves a tombstone in the feed, and notes under `receipt_id` the order to erase the
        visitor elsewhere, all in one transaction; returns how many preferences there were (0 or 1)."""
        ...

    def forget_tombstones(self, before: datetime) -> int:
        """Drops tombstones of erasures before a time, and with them the last copy of the id; returns how many."""
        ...

    def changes_after(self, revision: int, *, limit: int) -> Sequence[PreferenceChange]:
        """Feed entries after a position, in order; each visitor once, at the last change."""
        ...

    def visitors(self, *, containing: str, after_id: str, limit: int) -> Sequence[Preferences]:
        """Preferences by visitor_id (code point order) after an id; `containing` (case-insensitive for A-Z) narrows."""
        ...

    def count(self) -> int:
        """Visitors with preferences."""
        ...

    def touch_all(self) -> int:
        """Moves every visitor to the end of the feed, since a segment changed; returns how many."""
        ...

    def add_receipt(self, visitor_id: str, receipt: ErasureReceipt, *, settled: bool) -> None:
        """Keeps a receipt under the hash of the id; if `settled`, its order is crossed out in the same transaction."""
        ...

    def open_orders(self, before: datetime, *, limit: int) -> Sequence[ErasureOrder]:
        """Orders of erasures before a time that are not settled, oldest first."""
        ...

    def settle(self, receipt_id: str) -> None:
        """Crosses an order out; no matter for one that is not there."""
        ...

    def receipts(self, visitor_id: str) -> Sequence[ErasureReceipt]:
        """Receipts of a visitor, newest first."""
        ...

    def ping(self) -> None:
        """Raises Unavailable if the store does not answer."""
        ...


class SegmentRepository(Protocol):
    """Segments by name."""

    def all(self) -> Sequence[Segment]:
        """By name."""
        ...

    def save(self, segment: Segment) -> None:
        """Creates or replaces. If who is in it may change, `touch_due` turns true in the same transaction."""
        ...

    def delete(self, name: str) -> bool:
        """True if there was one; `touch_due` then turns true."""
        ...

    def touch_due(self) -> bool:
        """True from a change of a segment until `PreferenceRepository.touch_all` is done, across restarts."""
        ...


class VisitorEraser(Protocol):
    """Another owner of facts about visitors."""

    store: str

    def erase(self, visitor_id: str) -> Mapping[str, int]:
        """Forgets the visitor; returns records erased, by what. Repeating it is harmless."""
        ...


class ErasureQueue(Protocol):
    """Erasures that an absent owner has to finish later."""

    def finish_later(self, visitor_id: str, receipt_id: str, at: datetime) -> None:
        """Returns when the order is durable."""
        ...
