"""Engines: SQLite and PostgreSQL opened, used and given up in the same way. The dialect switches stand here."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from meshkit.errors import SettingsInvalid, Unavailable
from meshkit.postgres import PostgresLimits, open_engine

_ALLOWED = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_AWAY = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.DisconnectionError, exc.TimeoutError)


class Database:
    """A pool of connections, with the errors of the store turned into `Unavailable`. Thread-safe."""

    def __init__(self, engine: Engine, *, one_writer: bool) -> None:
        self.engine = engine
        # SQLite lets one writer in at a time and makes the others poll; in one process a lock queues them fairly.
        self._writers = threading.Lock() if one_writer else nullcontext()

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reads; every statement sees what was committed before it."""
        with store_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed durably at the end, rolled back on an error."""
        with store_errors(), self._writers, self.engine.begin() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()


def open_database(url: str, *, variable: str, limits: PostgresLimits | None = None) -> Database:
    """Opens the store of a URL. SettingsInvalid, naming the variable, if it is no URL of a known kind.

    `limits` are those of PostgreSQL, the usual ones if left out.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise SettingsInvalid(f"{variable}: is no URL; allowed is {_ALLOWED}") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return Database(_open_sqlite(Path(parsed.database), variable), one_writer=True)
        case "postgresql":
            return Database(open_engine(parsed, limits or PostgresLimits()), one_writer=False)
        case scheme:
            raise SettingsInvalid(f"{variable}: {scheme}: is not a store of the catalog; allowed is {_ALLOWED}")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns "the store does not answer" of any driver into Unavailable("store")."""
    try:
        yield
    except _AWAY as error:
        raise Unavailable("store", f"the catalog's store does not answer: {_short(error)}") from error
    except exc.DatabaseError as error:
        # A damaged SQLite file; a wrong statement is a bug and stays what it is.
        if isinstance(error.orig, sqlite3.DatabaseError) and type(error.orig) is sqlite3.DatabaseError:
            raise Unavailable("store", f"the catalog's store is damaged: {_short(error)}") from error
        raise


def execute_many(connection: Connection, statement: sa.Insert, rows: Sequence[Mapping[str, object]]) -> None:
    """Runs an insert for many rows, the fast way of each driver; empty rows do nothing."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(statement, rows)
        return
    # sqlite3 is fast row by row; the per-row work of SQLAlchemy would cost twice the insert itself.
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    order = list(compiled.positiontup or ())
    connection.exec_driver_sql(str(compiled), [tuple(row[name] for name in order) for row in rows])


def replace_all(dialect: str, table: sa.Table, key: str) -> sa.Insert:
    """INSERT … ON CONFLICT (key) DO UPDATE of every other column."""
    insert: Callable[[sa.Table], sqlite.Insert | postgresql.Insert] = (
        sqlite.insert if dialect == "sqlite" else postgresql.insert
    )
    statement = insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name != key and not c.primary_key}
    return statement.on_conflict_do_update(index_elements=[key], set_=changed)


def _open_sqlite(path: Path, variable: str) -> Engine:
    path = path.absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise SettingsInvalid(f"{variable}: {path} can not be written ({error.strerror})") from None

    def connect() -> sqlite3.Connection:
        # mode=rw: a file that was taken away is an error, not an empty new catalog.
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw", uri=True, timeout=5, isolation_level=None, check_same_thread=False
        )
        for pragma in (
            "busy_timeout=5000",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-32000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=sa.QueuePool, pool_size=10, max_overflow=20, pool_timeout=5
    )

    @sa.event.listens_for(engine, "connect")
    def _remember_file(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = _identity(path)

    @sa.event.listens_for(engine, "checkout")
    def _same_file(_: object, entry: ConnectionPoolEntry, __: object) -> None:
        # A connection to a file that was deleted or replaced still works, and what it writes is lost.
        if entry.info["file"] != _identity(path):
            raise exc.DisconnectionError(f"{path} was taken away")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _short(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0][:200] if lines else type(cause).__name__
