"""Connections to PostgreSQL that never wait for ever.

The server ends long statements, waits for locks and idle transactions by itself. A server that is frozen, or a network
that swallows packets, ends nothing: so the client waits with a deadline too (psycopg2's wait callback, which the first
use in a process installs for all its connections; those made elsewhere keep waiting without one).
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2 import extensions

from meshkit.settings import MeshSettings

GRACE_S = 1.0  # the server is given this much longer to end a statement itself, which keeps the connection
_KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}


@dataclass(frozen=True, slots=True)
class PostgresLimits:
    """How long is waited for what (seconds), and how many connections a process opens."""

    connect_s: float = 2.0
    statement_s: float = 10.0
    lock_s: float = 5.0
    idle_in_transaction_s: float = 30.0
    pool_size: int = 8
    pool_wait_s: float = 2.0

    @classmethod
    def of(cls, settings: MeshSettings) -> PostgresLimits:
        """As configured."""
        return cls(
            connect_s=settings.database_connect_timeout_s,
            statement_s=settings.database_statement_timeout_s,
            lock_s=settings.database_lock_timeout_s,
            idle_in_transaction_s=settings.database_idle_in_transaction_timeout_s,
            pool_size=settings.database_pool_size,
            pool_wait_s=settings.database_pool_wait_s,
        )


class DeadlineConnection(extensions.connection):
    """A connection that gives up on a silent server: OperationalError after `wait_s` seconds (None: never)."""

    wait_s: float | None

    def __init__(self, dsn: str, *, connect_s: float, answer_s: float) -> None:
        self.wait_s = connect_s
        super().__init__(dsn)
        self.wait_s = answer_s


def connect_options(limits: PostgresLimits, own: str = "") -> dict[str, Any]:
    """Keyword arguments of `psycopg2.connect`; `own` are server options of the caller (`-c name=value`), which win."""
    if extensions.get_wait_callback() is None:
        extensions.set_wait_callback(_wait)
    made = partial(DeadlineConnection, connect_s=limits.connect_s, answer_s=limits.statement_s + GRACE_S)
    times = {
        "statement_timeout": limits.statement_s,
        "lock_timeout": limits.lock_s,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_s,
    }
    options = " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in times.items())
    return {"connection_factory": made, "options": f"{options} -c jit=off {own}".strip(), **_KEEPALIVE}


def open_engine(url: sa.URL, limits: PostgresLimits) -> sa.Engine:
    """An engine of SQLAlchemy within `limits`, not connected yet; a dead connection is noticed before it is lent."""
    own = url.query.get("options", "")
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg2").difference_update_query(["options"]),
        pool_size=limits.pool_size,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        use_native_hstore=False,  # would ask for its types on each new connection
        connect_args=connect_options(limits, own if isinstance(own, str) else " ".join(own)),
    )


@contextmanager
def unhurried(connection: extensions.connection, *, lock_s: float = 0) -> Iterator[None]:
    """No deadline for statements that may take minutes (migrations, moving partitions), and `lock_s` (0: none) for
    locks; the usual ones return with the end of the block."""
    before = getattr(connection, "wait_s", None)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = %s",
            [round(lock_s * 1000)],
        )
    if isinstance(connection, DeadlineConnection):
        connection.wait_s = None
    try:
        yield
    finally:
        if isinstance(connection, DeadlineConnection):
            connection.wait_s = before
        if not connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout; RESET idle_in_transaction_session_timeout; RESET lock_timeout")


def _wait(connection: extensions.connection) -> None:
    limit_s = getattr(connection, "wait_s", None)
    deadline = None if limit_s is None else time.monotonic() + limit_s
    while (state := _polled(connection)) != extensions.POLL_OK:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poller.poll(left_ms):
            raise psycopg2.OperationalError(f"PostgreSQL did not answer within {limit_s:g} s")


def _polled(connection: extensions.connection) -> int:
    try:
        return connection.poll()
    except UnicodeDecodeError as error:  # psycopg2 quotes what it got, were it no text at all
        raise psycopg2.OperationalError("PostgreSQL answered what can not be read") from error
