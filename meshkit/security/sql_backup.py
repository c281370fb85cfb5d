"""BackedUp over keys and audit trail. Of a key it holds the digest, which opens nothing without the pepper."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from meshkit.backup.port import Record, Records
from meshkit.backup.tables import begin_reading, replace_table, table_records
from meshkit.security.sql_database import AUDIT, CLOCK, KEYS, SecurityDatabase

SECTIONS = (("keys", KEYS), ("audit", AUDIT))
_NEXT_ENTRY = (
    "SELECT setval(pg_get_serial_sequence('recomesh_audit', 'entry'), coalesce(max(entry), 0) + 1, false)"
    " FROM recomesh_audit"
)


class SecurityBackup:
    """See `meshkit.backup.port.BackedUp`."""

    def __init__(self, database: SecurityDatabase) -> None:
        self._database = database

    def read(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """All of one moment, without holding up writers."""
        with self._database.transaction() as db:
            begin_reading(db)
            for section, table in SECTIONS:
                yield section, table_records(db, table)

    def holds(self) -> int:
        """Keys, ended ones too, and audit entries."""
        with self._database.transaction() as db:
            return sum(db.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for _, table in SECTIONS)

    def replace(self, records: Records) -> None:
        """In one transaction; whoever holds keys in memory reads them anew."""
        with self._database.transaction() as db:
            db.execute(sa.update(CLOCK).values(revision=CLOCK.c.revision + 1))
            for section, table in SECTIONS:
                replace_table(db, table, records(section))
            if db.dialect.name == "postgresql":
                db.exec_driver_sql(_NEXT_ENTRY)
