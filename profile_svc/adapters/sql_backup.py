"""BackedUp over the tables of the profiles: every row as a JSON object, exact, positions in the feed included."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, func, select

from meshkit.backup.port import Record, Records
from meshkit.backup.tables import begin_reading, replace_table, table_records
from profile_svc.adapters.sql_store import transaction
from profile_svc.adapters.sql_tables import feed, orders, receipts, segments, visitors

_TABLES = (
    ("visitors", visitors),
    ("segments", segments),
    ("erasure_receipts", receipts),
    ("erasure_orders", orders),
    ("profile_feed", feed),
)


class SqlProfileBackup:
    """See `meshkit.backup.port.BackedUp`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """All of one moment, without holding up writers."""
        with transaction(self._engine) as db:
            begin_reading(db)
            for section, table in _TABLES:
                yield section, table_records(db, table)

    def holds(self) -> int:
        """Visitors, tombstones too, segments, receipts and orders."""
        with transaction(self._engine) as db:
            counted = (select(func.count()).select_from(table) for name, table in _TABLES if name != "profile_feed")
            return sum(db.execute(query).scalar_one() for query in counted)

    def replace(self, records: Records) -> None:
        """In one transaction."""
        with transaction(self._engine) as db:
            for section, table in _TABLES:
                replace_table(db, table, records(section))
