"""Connections to one SQLite file, lent to threads for as long as they need one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshkit.errors import Unavailable

BUSY_TIMEOUT_S = 5.0
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # what was acknowledged survives a power cut
    "PRAGMA journal_size_limit = 67108864",
)


class SqliteFile:
    """A pool of connections in WAL mode. The file and its folder are made when missing.

    A connection waits `busy_timeout_s` seconds for others to finish writing.

    Every error of SQLite or the disk becomes Unavailable(part). A transaction that fails, at its commit too, leaves
    nothing behind.
    """

    def __init__(self, path: Path, *, part: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._path = path
        self._part = part
        self._busy_timeout_s = busy_timeout_s
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @property
    def closed(self) -> bool:
        """True from `close` on."""
        return self._closed

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for this thread alone, in autocommit mode."""
        try:
            with self._borrowed() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(self._part, f"{self._part} file can not be used: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a write transaction that commits at the end, or rolls back."""
        with self.connection() as connection, transaction_on(connection):
            yield connection

    def close(self) -> None:
        """Closes what is idle now and what is lent when it comes back; nothing is lent from here on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            with self._lock:
                keep = not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise Unavailable(self._part, f"{self._part} is closed")
            if self._idle:
                return self._idle.pop()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@contextmanager
def transaction_on(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT on a connection; rolls back on any error, that of the commit included."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
