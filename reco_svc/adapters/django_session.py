"""What every call to the database shares: a healthy connection, one transaction, errors of the tree."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.db.backends.utils import CursorWrapper

from meshkit.errors import Unavailable

PART = "database"


@contextmanager
def reading() -> Iterator[CursorWrapper]:
    """A cursor outside a transaction. Unavailable when the database is away or busy for too long."""
    with translated(), connection.cursor() as cursor:
        yield cursor


@contextmanager
def writing() -> Iterator[CursorWrapper]:
    """A cursor inside a transaction that commits at the end, or rolls back on any error."""
    with translated(), transaction.atomic(), connection.cursor() as cursor:
        yield cursor


def advance(cursor: CursorWrapper, clock: str, by: int) -> int:
    """Adds to a clock and answers its new value; its row stays locked to the end of the transaction."""
    cursor.execute(
        "INSERT INTO reco_clock (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = reco_clock.value + excluded.value RETURNING value",
        [clock, by],
    )
    return int(cursor.fetchone()[0])


def values(rows: int, columns: int) -> str:
    """Placeholders of a VALUES list."""
    row = "(" + ", ".join(["%s"] * columns) + ")"
    return ", ".join([row] * rows)


def flat(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The parameters of a VALUES list."""
    return [value for row in rows for value in row]


@contextmanager
def translated() -> Iterator[None]:
    """Trouble of the database becomes Unavailable; around the outermost block of a thread the connection is taken and
    given back."""
    outermost = not (_depth.blocks or connection.in_atomic_block)
    if outermost:
        close_old_connections()
    _depth.blocks += 1
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:  # the last: a standby that takes no writes
        raise Unavailable(PART, f"the database is away: {_first_line(error)}") from error
    finally:
        _depth.blocks -= 1
        if outermost:
            close_old_connections()


class _Depth(threading.local):
    blocks = 0


_depth = _Depth()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
