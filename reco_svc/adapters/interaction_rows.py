"""Interactions as rows of the log's table, and how new ones are inserted into SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, TypeAlias

from django.db.backends.utils import CursorWrapper

from reco_svc.adapters.django_session import flat, values
from reco_svc.domain.model import EventType, Interaction

CLOCK = "counters"
RETAINED_FROM = "retained_from"  # clock: microseconds since 1970; what is older was dropped by retention
HOUR_US = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = (
    "event_id, type, visitor_id, product_id, at_us, quantity, price, currency, order_id, recommendation_id, position,"
    " placement, query, session_id"
)
Row: TypeAlias = tuple[Any, ...]  # in the order of COLUMNS

_TYPES = (
    *("text", "smallint", "text", "text", "bigint", "integer", "double precision", "text"),
    *("text", "text", "integer", "text", "text", "text"),
)
_LOG_LOCK = 0x5EC0_106  # any number that nobody else on the database uses
_SQLITE_BATCH = 500  # rows in one statement; 14 columns x 500 stays below SQLite's 32,766 parameters
_POSTGRES_BATCH = 5_000
_SQLITE = f"INSERT INTO reco_interaction ({COLUMNS}) VALUES {{}} ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
# One array for each column, as one literal: the statement stays the same whatever the number of rows.
_POSTGRES = (
    f"WITH given ({COLUMNS}) AS (SELECT * FROM unnest({', '.join(f'%s::{t}[]' for t in _TYPES)})), fresh AS"
    " (INSERT INTO reco_event_key SELECT event_id FROM given ON CONFLICT DO NOTHING RETURNING event_id)"
    f" INSERT INTO reco_interaction ({COLUMNS}) SELECT given.* FROM given JOIN fresh USING (event_id)"
    " RETURNING event_id"
)


def lock_log(cursor: CursorWrapper, *, alone: bool) -> None:
    """To the end of the transaction: appends share the log, an erasure or a change of partitions has it `alone`.

    SQLite needs none of it, since a transaction that writes is alone from its begin.
    """
    if cursor.db.vendor == "postgresql":
        cursor.execute(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(%s)", [_LOG_LOCK])


def insert_new(cursor: CursorWrapper, rows: Sequence[Row]) -> set[str]:
    """Inserts the rows (no event id twice among them) whose event id is not in the log; returns those ids.

    In order of event id, so that two appends of the same events wait for each other, and never both.
    """
    postgres = cursor.db.vendor == "postgresql"
    inserted: set[str] = set()
    for batch in batches(sorted(rows, key=itemgetter(0)), _POSTGRES_BATCH if postgres else _SQLITE_BATCH):
        if postgres:
            cursor.execute(_POSTGRES, array_literals(batch))
        else:
            cursor.execute(_SQLITE.format(values(len(batch), len(_TYPES))), flat(batch))
        inserted.update(row[0] for row in cursor.fetchall())
    return inserted


def array_literals(rows: Sequence[Row]) -> list[str]:
    """The columns of rows as PostgreSQL's array literals. The driver would write ARRAY['…', '…'], of which the server
    parses and plans each element: that costs more than the insert."""
    return [_array_literal(column) for column in zip(*rows, strict=True)]


def _array_literal(column: Sequence[object]) -> str:
    """Of one column, which holds texts or numbers. Most columns of a batch hold one value, or texts without a quote."""
    first = column[0]
    if column.count(first) == len(column):
        return "{" + ",".join([_element(first)] * len(column)) + "}"
    if isinstance(first, str):
        text = '","'.join(map(str, column))
        if "\\" not in text and text.count('"') == 2 * (len(column) - 1):
            return f'{{"{text}"}}'
    return "{" + ",".join(map(_element, column)) + "}"


def _element(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"') if "\\" in value or '"' in value else value
        return f'"{escaped}"'
    return "NULL" if value is None else repr(value)


def batches(rows: Sequence[Any], size: int) -> Iterator[Any]:
    """Stretches of at most `size`."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def visitor_hash(visitor_id: str) -> str:
    """How an erased visitor is remembered: SHA-256 of the (random) id, 64 hexadecimal digits."""
    return hashlib.sha256(visitor_id.encode()).hexdigest()


def to_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def from_us(at_us: int) -> datetime:
    """The time, UTC."""
    return EPOCH + timedelta(microseconds=at_us)


def row_of(i: Interaction) -> Row:
    """The row of an interaction."""
    return (
        i.event_id,
        int(i.type),
        i.visitor_id,
        i.product_id,
        to_us(i.at),
        i.quantity,
        i.price,
        i.currency,
        i.order_id,
        i.recommendation_id,
        i.position,
        i.placement,
        i.query,
        i.session_id,
    )


def interaction_of(row: Sequence[Any]) -> Interaction:
    """The interaction of a row."""
    event_id, type_, visitor_id, product_id, at_us, *rest = row
    return Interaction(event_id, EventType(type_), visitor_id, product_id, from_us(at_us), *rest)
