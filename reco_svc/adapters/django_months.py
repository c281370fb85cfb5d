"""Months of the interaction log: partitions in PostgreSQL, a plain delete in SQLite (ADR 13).

Everything here first takes the lock of the log alone, which appends share, so that neither sees the other half done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from meshkit.postgres import unhurried
from reco_svc.adapters.django_session import translated, writing
from reco_svc.adapters.interaction_rows import HOUR_US, RETAINED_FROM, lock_log, to_us

MONTHS_AHEAD = 3
SPLIT_ROWS = 1_000  # a month with fewer events stays in the default partition: a stray date makes no table
_DROP_BATCH = 20_000
_LOCK_S = 5.0  # who reads for long must not hold up the appends that wait behind us
_PREFIX = "reco_interaction_"
_DEFAULT = f"{_PREFIX}default"
_DETACHED = "reco_dropped_"
_PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'reco_interaction'::regclass ORDER BY c.relname"
)


def prepare_months(now: datetime) -> None:
    """PostgreSQL: makes the partitions of this month, the one before and those to come, and empties the default
    partition of whole months that imports have brought."""
    month = _month(now)
    wanted = [_plus(month, n) for n in range(-1, MONTHS_AHEAD + 1)]
    with _unhurried():
        for start in wanted:
            with writing() as cursor:
                if _name(start) not in _partitions(cursor):
                    lock_log(cursor, alone=True)
                    _split(cursor, start)
        for start in _months_in_default():
            with writing() as cursor:
                lock_log(cursor, alone=True)
                _split(cursor, start)


def forget_before(before: datetime) -> int:
    """Drops every month that ended by `before`, with its counters; returns how many events went."""
    edge_us = to_us(_month(before))
    if connection.vendor != "postgresql":
        return _delete(edge_us)
    with _unhurried():
        with writing() as cursor:
            _raise_edge(cursor, edge_us)
            stray = _delete_rows(cursor, _DEFAULT, f"at_us < {edge_us}")
            for name in _partitions(cursor):
                if name != _DEFAULT and to_us(_plus(_start(name), 1)) <= edge_us:
                    cursor.execute(f"ALTER TABLE reco_interaction DETACH PARTITION {name}")
                    cursor.execute(f"ALTER TABLE {name} RENAME TO {name.replace(_PREFIX, _DETACHED)}")
        return stray + sum(_drop(name) for name in _detached())


def _delete(edge_us: int) -> int:
    with writing() as cursor:
        _raise_edge(cursor, edge_us)
        cursor.execute("DELETE FROM reco_interaction WHERE at_us < %s", [edge_us])
        return int(cursor.rowcount)


def _raise_edge(cursor: CursorWrapper, edge_us: int) -> None:
    lock_log(cursor, alone=True)
    cursor.execute(
        "INSERT INTO reco_clock (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE"
        " SET value = excluded.value WHERE reco_clock.value < excluded.value",
        [RETAINED_FROM, edge_us],
    )
    cursor.execute("DELETE FROM reco_hourly_count WHERE hour < %s", [edge_us // HOUR_US])


def _split(cursor: CursorWrapper, start: datetime) -> None:
    """A partition for a month, with what the default partition holds of it."""
    name, begin_us, end_us = _name(start), to_us(start), to_us(_plus(start, 1))
    cursor.execute(f"CREATE TABLE {name} (LIKE reco_interaction INCLUDING ALL)")
    cursor.execute(
        f"WITH moved AS (DELETE FROM reco_interaction_default WHERE at_us >= {begin_us} AND at_us < {end_us}"
        f" RETURNING *) INSERT INTO {name} SELECT * FROM moved"
    )
    cursor.execute(f"ALTER TABLE reco_interaction ATTACH PARTITION {name} FOR VALUES FROM ({begin_us}) TO ({end_us})")


def _months_in_default() -> list[datetime]:
    with writing() as cursor:
        cursor.execute(
            "SELECT date_trunc('month', to_timestamp(at_us / 1000000) AT TIME ZONE 'UTC') AS month"
            " FROM reco_interaction_default GROUP BY month HAVING COUNT(*) >= %s ORDER BY month",
            [SPLIT_ROWS],
        )
        return [month.replace(tzinfo=UTC) for (month,) in cursor.fetchall()]


def _drop(name: str) -> int:
    """In batches, each of its own, so that a crash leaves less to do and appends get their turn."""
    dropped = 0
    while True:
        with writing() as cursor:
            batch = _delete_rows(cursor, name, f"ctid = ANY (ARRAY(SELECT ctid FROM {name} LIMIT {_DROP_BATCH}))")
            if not batch:
                cursor.execute(f"DROP TABLE {name}")
                return dropped
        dropped += batch


def _delete_rows(cursor: CursorWrapper, table: str, condition: str) -> int:
    cursor.execute(
        f"WITH gone AS (DELETE FROM {table} WHERE {condition} RETURNING event_id), freed AS"
        " (DELETE FROM reco_event_key k USING gone WHERE k.event_id = gone.event_id) SELECT COUNT(*) FROM gone"
    )
    return int(cursor.fetchone()[0])


def _partitions(cursor: CursorWrapper) -> list[str]:
    cursor.execute(_PARTITIONS)
    return [name for (name,) in cursor.fetchall()]


def _detached() -> list[str]:
    with writing() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE starts_with(tablename, %s) ORDER BY 1", [_DETACHED])
        return [name for (name,) in cursor.fetchall()]


@contextmanager
def _unhurried() -> Iterator[None]:
    with translated(), connection.cursor(), unhurried(connection.connection, lock_s=_LOCK_S):
        yield


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _plus(month: datetime, months: int) -> datetime:
    years, index = divmod(month.month - 1 + months, 12)
    return month.replace(year=month.year + years, month=index + 1)


def _name(month: datetime) -> str:
    return f"{_PREFIX}{month:%Y_%m}"


def _start(name: str) -> datetime:
    return datetime.strptime(name, f"{_PREFIX}%Y_%m").replace(tzinfo=UTC)
