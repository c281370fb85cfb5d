"""The database of keys, audit trail and admin sessions: SQLite or PostgreSQL, by the same statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from meshkit.errors import SettingsInvalid, Unavailable
from meshkit.postgres import PostgresLimits, open_engine

_SCHEMES = ("sqlite", "postgresql")
_CONNECTIONS = 4  # of each process: keys, audit entries and sessions of admin planes are small and few
_LOCK = 0x6B657973  # any number, the same in every process: one at a time creates the tables
_TABLES = sa.MetaData()
KEYS = sa.Table(
    "recomesh_keys",
    _TABLES,
    sa.Column("key_id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, index=True),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
    sa.Column("expires_us", sa.BigInteger),
    sa.Column("revoked_us", sa.BigInteger),
    sa.Column("last_used_us", sa.BigInteger),
)
CLOCK = sa.Table(
    "recomesh_keys_clock",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
AUDIT = sa.Table(
    "recomesh_audit",
    _TABLES,
    sa.Column("entry", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("action", sa.String(100), nullable=False),
    sa.Column("subject", sa.String(300), nullable=False),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)
SESSIONS = sa.Table(
    "recomesh_admin_sessions",
    _TABLES,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("holder", sa.String(32), nullable=False),
    sa.Column("proof", sa.LargeBinary(32), nullable=False),
    sa.Column("expires_s", sa.Double, nullable=False),
)


class SecurityDatabase:
    """The database of keys and audit, opened when first used; its tables are made then."""

    def __init__(self, url: str, limits: PostgresLimits | None = None) -> None:
        try:
            parsed = make_url(url)
        except sa.exc.ArgumentError:
            parsed = None
        if parsed is None or parsed.drivername not in _SCHEMES or not parsed.database:
            raise SettingsInvalid("RECOMESH_KEYS_URL: must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        self._file: Path | None = None
        if parsed.drivername == "sqlite":
            self._file = Path(parsed.database)
            self._engine: Engine = sa.create_engine(parsed, connect_args={"timeout": 5.0})
        else:
            self._engine = open_engine(parsed, replace(limits or PostgresLimits(), pool_size=_CONNECTIONS))
        sa.event.listen(self._engine, "connect", _set_pragmas)
        self._prepared = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction. Unavailable("keys") when the database is away."""
        try:
            if not self._prepared:
                self._prepare()
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise Unavailable("keys", f"the key store does not answer: {type(error).__name__}") from error

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _prepare(self) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            else:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            _TABLES.create_all(connection)
            if connection.scalar(sa.select(CLOCK.c.revision)) is None:
                connection.execute(sa.insert(CLOCK).values(id=1, revision=0))
        self._prepared = True


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return round(at.timestamp() * 1_000_000)


def moment(us: int) -> datetime:
    """The reverse of `microseconds`, UTC."""
    return datetime.fromtimestamp(us / 1_000_000, UTC)


def moment_or_none(us: int | None) -> datetime | None:
    """`moment`, None for NULL."""
    return None if us is None else moment(us)


def _set_pragmas(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
