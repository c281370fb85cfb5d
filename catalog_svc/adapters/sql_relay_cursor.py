"""The relay's cursor, in the database of the products."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from catalog_svc.adapters.sql_engine import Database
from catalog_svc.adapters.sql_tables import relay_cursor as t

_NAME = "product_changed"


class SqlRelayCursor:
    """See `domain.ports.RelayCursor`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> int:
        """See the port."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(t.c.revision).where(t.c.name == _NAME)).scalar()
        return 0 if found is None else int(found)

    def advance(self, seen: int, revision: int) -> bool:
        """See the port."""
        moved = sa.update(t).where(t.c.name == _NAME, t.c.revision == seen).values(revision=revision)
        with self._database.writing() as connection:
            if connection.execute(moved).rowcount:
                return True
            if seen:
                return False
            # Another replica may insert the first row at the same time.
            insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
            first = insert(t).values(name=_NAME, revision=revision).on_conflict_do_nothing()
            return connection.execute(first).rowcount == 1
