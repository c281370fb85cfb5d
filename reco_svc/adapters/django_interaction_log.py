"""InteractionLog on the ORM's tables. Everything that moves many rows is plain SQL, the same for SQLite and PostgreSQL.

Appends share the lock of the log and an erasure takes it alone, so they never interleave. Counters are written last, by
whoever holds the row lock of the clock "counters", to the end of the transaction: so revisions become visible in the
order in which they grow, and a follower can not miss one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper

from reco_svc.adapters.django_months import forget_before, prepare_months
from reco_svc.adapters.django_session import advance, flat, reading, values, writing
from reco_svc.adapters.interaction_rows import (
    CLOCK,
    COLUMNS,
    HOUR_US,
    RETAINED_FROM,
    Row,
    array_literals,
    batches,
    from_us,
    insert_new,
    interaction_of,
    lock_log,
    row_of,
    to_us,
    visitor_hash,
)
from reco_svc.domain.model import EventType, Interaction
from reco_svc.domain.ports import AppendReport, HourlyCount, InteractionColumns

_BATCH = 500
_COUNT = (
    "INSERT INTO reco_hourly_count (product_id, type, hour, events, revision) {}"
    " ON CONFLICT (product_id, type, hour) DO UPDATE"
    " SET events = reco_hourly_count.events + excluded.events, revision = excluded.revision"
)
_SINCE = "FROM reco_interaction WHERE at_us >= %s ORDER BY at_us DESC, event_id DESC LIMIT %s"
_ARRAYS = "SELECT * FROM unnest(%s::text[], %s::smallint[], %s::integer[], %s::integer[], %s::bigint[])"
_SCAN = (
    "SELECT visitor_id, session_id, order_id, product_id, type, at_us, quantity, price, event_id FROM reco_interaction"
    " WHERE at_us >= %s AND (at_us, event_id) > (%s, %s) ORDER BY at_us, event_id LIMIT %s"
)
_ERASE = (
    "INSERT INTO reco_erased_visitor (visitor_hash, erased_at_us) VALUES (%s, %s) ON CONFLICT (visitor_hash) DO UPDATE"
    " SET erased_at_us = excluded.erased_at_us WHERE reco_erased_visitor.erased_at_us < excluded.erased_at_us"
)

_Key: TypeAlias = tuple[str, int, int]  # product, type, hour


class DjangoInteractionLog:
    """See `domain.ports.InteractionLog`."""

    def append(self, interactions: Sequence[Interaction]) -> AppendReport:
        """One transaction for all."""
        if not interactions:
            return AppendReport(frozenset(), 0)
        with writing() as cursor:
            lock_log(cursor, alone=False)
            edge_us = _retained_from(cursor)
            wanted = _not_erased(cursor, [row for row in map(row_of, interactions) if row[4] >= edge_us])
            rows = {row[0]: row for row in reversed(wanted)}  # of a repeated id the first counts
            inserted = insert_new(cursor, list(rows.values()))
            _count(cursor, Counter(_key(rows[event_id]) for event_id in inserted))
        return AppendReport(frozenset(inserted), len(interactions) - len(inserted))

    def scan(self, since: datetime | None = None, *, chunk: int = 100_000) -> Iterator[InteractionColumns]:
        """Each chunk is a query of its own, so a long scan holds no transaction open."""
        at_us, event_id = (0 if since is None else to_us(since)), ""
        while True:
            with reading() as cursor:
                cursor.execute(_SCAN, [at_us, at_us, event_id, chunk])
                rows = cursor.fetchall()
            if rows:
                at_us, event_id = rows[-1][5], rows[-1][8]
                yield _columns(rows)
            if len(rows) < chunk:
                return

    def count(self) -> int:
        """Exact."""
        with reading() as cursor:
            cursor.execute("SELECT COUNT(*) FROM reco_interaction")
            return int(cursor.fetchone()[0])

    def latest_at(self) -> datetime | None:
        """From the index."""
        with reading() as cursor:
            cursor.execute("SELECT MAX(at_us) FROM reco_interaction")
            at_us = cursor.fetchone()[0]
        return None if at_us is None else from_us(at_us)

    def counts_after(self, revision: int, *, limit: int = 10_000) -> Sequence[HourlyCount]:
        """Every counter has a revision of its own, so a page can end anywhere."""
        with reading() as cursor:
            cursor.execute(
                "SELECT product_id, type, hour, events, revision FROM reco_hourly_count"
                " WHERE revision > %s ORDER BY revision LIMIT %s",
                [revision, limit],
            )
            return [HourlyCount(p, EventType(t), hour, n, r) for p, t, hour, n, r in cursor.fetchall()]

    def recent(
        self, since: datetime, *, limit: int = 50_000, known: Container[str] = frozenset()
    ) -> Sequence[Interaction]:
        """From the index, backwards. With `known`, ids are looked at first, then whole rows from the oldest new one."""
        since_us = to_us(since)
        with reading() as cursor:
            if known:
                cursor.execute(f"SELECT event_id, at_us {_SINCE}", [since_us, limit])
                new = [(at_us, event_id) for event_id, at_us in cursor.fetchall() if event_id not in known]
                if not new:
                    return []
                since_us = min(new)[0]
            cursor.execute(f"SELECT {COLUMNS} {_SINCE}", [since_us, limit])
            return [interaction_of(row) for row in reversed(cursor.fetchall()) if row[0] not in known]

    def purchased(self, visitor_ids: Collection[str], *, limit: int = 1_000) -> Mapping[str, Sequence[str]]:
        """Products of which more pieces were bought than sent back; by the last purchase, ties by product id."""
        if not visitor_ids:
            return {}
        bought, refunded = int(EventType.PURCHASE), int(EventType.REFUND)
        found: dict[str, list[str]] = {}
        with reading() as cursor:
            cursor.execute(
                "SELECT visitor_id, product_id FROM reco_interaction"
                f" WHERE visitor_id IN ({', '.join(['%s'] * len(visitor_ids))}) AND type IN (%s, %s)"
                " GROUP BY visitor_id, product_id"
                " HAVING SUM(CASE WHEN type = %s THEN quantity ELSE -quantity END) > 0"
                " ORDER BY MAX(CASE WHEN type = %s THEN at_us ELSE 0 END) DESC, product_id",
                [*visitor_ids, bought, refunded, bought, bought],
            )
            for visitor_id, product_id in cursor.fetchall():
                found.setdefault(visitor_id, []).append(product_id)
        return {visitor_id: products[:limit] for visitor_id, products in found.items()}

    def erase(self, visitor_id: str, at: datetime) -> int:
        """Takes the events out of the counters too; repeated, it only moves the marker forward."""
        with writing() as cursor:
            lock_log(cursor, alone=True)
            cursor.execute(_ERASE, [visitor_hash(visitor_id), to_us(at)])
            cursor.execute(
                "DELETE FROM reco_interaction WHERE visitor_id = %s RETURNING product_id, type, at_us, event_id",
                [visitor_id],
            )
            rows = cursor.fetchall()
            gone = [(product_id, type_, at_us // HOUR_US) for product_id, type_, at_us, _ in rows]
            if connection.vendor == "postgresql":
                cursor.execute("DELETE FROM reco_event_key WHERE event_id = ANY (%s)", [[row[3] for row in rows]])
            _count(cursor, {key: -n for key, n in Counter(gone).items()})
        return len(gone)

    def forget_before(self, before: datetime) -> int:
        """By partitions where there are some."""
        return forget_before(before)

    def prepare(self, now: datetime) -> None:
        """Only PostgreSQL has partitions to make."""
        with reading():
            postgres = connection.vendor == "postgresql"
        if postgres:
            prepare_months(now)


def _key(row: Sequence[Any]) -> _Key:
    return row[3], row[1], row[4] // HOUR_US


def _retained_from(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT value FROM reco_clock WHERE name = %s", [RETAINED_FROM])
    row = cursor.fetchone()
    return -(1 << 62) if row is None else int(row[0])


def _not_erased(cursor: CursorWrapper, rows: Sequence[Row]) -> list[Row]:
    hashes = {visitor: visitor_hash(visitor) for visitor in {row[2] for row in rows}}
    erased_at: dict[str, int] = {}
    for batch in batches(list(hashes.values()), 5_000):
        marks = ", ".join(["%s"] * len(batch))
        cursor.execute(
            f"SELECT visitor_hash, erased_at_us FROM reco_erased_visitor WHERE visitor_hash IN ({marks})", batch
        )
        erased_at.update(cursor.fetchall())
    if not erased_at:
        return list(rows)
    return [row for row in rows if row[4] > erased_at.get(hashes[row[2]], -1)]


def _count(cursor: CursorWrapper, changes: dict[_Key, int]) -> None:
    """Adds to the counters. Sorted, so that rows of one product are written side by side."""
    if not changes:
        return
    revision = advance(cursor, CLOCK, len(changes)) - len(changes)
    rows = [(*key, changes[key], revision + n) for n, key in enumerate(sorted(changes), start=1)]
    if cursor.db.vendor == "postgresql":
        cursor.execute(_COUNT.format(_ARRAYS), array_literals(rows))
        return
    for batch in batches(rows, _BATCH):
        cursor.execute(_COUNT.format("VALUES " + values(len(batch), 5)), flat(batch))


def _columns(rows: Sequence[Sequence[Any]]) -> InteractionColumns:
    visitors, sessions, orders, products, types, at_us, quantities, prices, _ = zip(*rows, strict=True)
    return InteractionColumns(
        visitor_id=visitors,
        session_id=sessions,
        order_id=orders,
        product_id=products,
        type=np.array(types, np.int8),
        at_s=np.array(at_us, np.int64) // 1_000_000,
        quantity=np.array(quantities, np.int32),
        price=np.array(prices, np.float32),  # None becomes NaN
    )
