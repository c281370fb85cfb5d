"""A bounded pool of psycopg2 connections."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions

IDLE_CHECK_S = 5.0  # a connection that rested longer is asked before it is lent


class Pool:
    """At most `size` connections; the one that rested shortest is lent first. Thread-safe.

    A connection whose server is gone is thrown away when it is due to be lent, so that a restart of the server costs
    nobody an error: its socket then has something to read, which is seen without a round trip.
    """

    def __init__(self, size: int, wait_s: float) -> None:
        self._size = size
        self._wait_s = wait_s
        self._slots = threading.BoundedSemaphore(size)
        self._resting: list[tuple[float, extensions.connection]] = []
        self._lock = threading.Lock()

    def take(self, connect: Callable[[], extensions.connection]) -> extensions.connection:
        """Lends one, made by `connect` when none rests. OperationalError when all are in use for `wait_s` seconds."""
        if not self._slots.acquire(timeout=self._wait_s):
            raise psycopg2.OperationalError(
                f"all {self._size} connections (RECOMESH_DATABASE_POOL_SIZE) were in use for {self._wait_s:g} s"
            )
        try:
            while (resting := self._pop()) is not None:
                since, connection = resting
                if _sound(connection, time.monotonic() - since):
                    return connection
                connection.close()
            return connect()
        except BaseException:
            self._slots.release()
            raise

    def give(self, connection: extensions.connection) -> None:
        """Takes one back, without the transaction it may be in; a broken one is closed."""
        try:
            if not connection.closed and connection.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE:
                connection.rollback()
        except psycopg2.Error:
            connection.close()
        if not connection.closed:
            with self._lock:
                self._resting.append((time.monotonic(), connection))
        self._slots.release()

    def _pop(self) -> tuple[float, extensions.connection] | None:
        with self._lock:
            return self._resting.pop() if self._resting else None


def _sound(connection: extensions.connection, rested_s: float) -> bool:
    try:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        if poller.poll(0):  # nobody asked anything: a farewell, or the end of the stream
            return False
        if rested_s > IDLE_CHECK_S:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    except psycopg2.Error:
        return False
    return True
