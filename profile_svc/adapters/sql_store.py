"""Opening the profile store: engine, pragmas, migrations, transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from meshkit.errors import SettingsInvalid, Unavailable
from meshkit.postgres import DeadlineConnection, PostgresLimits, unhurried
from meshkit.postgres import open_engine as open_postgres

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 0x7265636F  # any number, the same in every process: one migrates, the others wait
_TROUBLE = ("OperationalError", "InterfaceError", "DatabaseError")  # the last as itself: the file is no database
_SCHEMES = ("sqlite", "postgresql")


def open_engine(url: str, limits: PostgresLimits | None = None) -> Engine:
    """An engine for sqlite:///FILE or postgresql://… (within `limits`), migrated to the newest schema.

    SettingsInvalid for any other URL; Unavailable when the database is away.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in _SCHEMES or not parsed.database:
        raise SettingsInvalid("RECOMESH_DATABASE_URL: must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    limits = limits or PostgresLimits()
    if parsed.drivername == "sqlite":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_size=limits.pool_size, connect_args={"timeout": 5.0})
    else:
        engine = open_postgres(parsed, limits)
    event.listen(engine, "connect", _set_pragmas)
    with transaction(engine) as connection, _unhurried(connection):
        _migrate(connection)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction; database trouble becomes Unavailable, wrong statements stay errors."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and not _is_trouble(error):
            raise
        raise Unavailable("profile store", f"the profile store does not answer: {type(error).__name__}") from error
    except NoSuchModuleError as error:
        raise SettingsInvalid(f"RECOMESH_DATABASE_URL: {error}") from None


def _is_trouble(error: DBAPIError) -> bool:
    return error.connection_invalidated or type(error).__name__ in _TROUBLE


def _set_pragmas(connection: Any, _: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _unhurried(connection: Connection) -> Iterator[None]:
    raw = connection.connection.driver_connection
    if not isinstance(raw, DeadlineConnection):
        yield
        return
    with unhurried(raw):
        yield


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")
