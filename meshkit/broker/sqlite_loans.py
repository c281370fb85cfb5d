"""Tables of the SQLite queue, and how messages are lent and come back. Every function runs on a given connection.

A message that failed before, or was lost with its borrower twice, is lent alone: should it kill its borrower, it takes
no innocent message along.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from meshkit.broker.port import Delivery, Message
from meshkit.broker.sqlite_file import transaction_on

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
        published_at REAL NOT NULL, due_at REAL NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
        loan INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0)
    """,
    "CREATE INDEX IF NOT EXISTS message_ready ON message (topic, id, due_at) WHERE owner = ''",
    "CREATE INDEX IF NOT EXISTS message_lent ON message (owner, lease_until, topic) WHERE owner > ''",
    """
    CREATE TABLE IF NOT EXISTS dead_letter (
        id INTEGER PRIMARY KEY, topic TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
        reason TEXT NOT NULL, attempts INTEGER NOT NULL, died_at REAL NOT NULL)
    """,
    "CREATE INDEX IF NOT EXISTS dead_letter_topic ON dead_letter (topic, id)",
)
LOST = "its worker died or hung each time"
_READY = "FROM message WHERE owner = '' AND topic = ? AND due_at <= ? ORDER BY id"


def lend(db: sqlite3.Connection, owner: str, topic: str, limit: int, lease_until: float) -> list[Delivery]:
    """Up to `limit` messages that are due, oldest first, now on loan to `owner`."""
    now = time.time()
    if db.execute(f"SELECT 1 {_READY} LIMIT 1", (topic, now)).fetchone() is None:
        return []  # a look costs no write lock
    with transaction_on(db):
        ready = db.execute(f"SELECT failures > 0 OR lost > 1 {_READY} LIMIT ?", (topic, now, limit)).fetchall()
        suspects = [place for place, (suspect,) in enumerate(ready) if suspect]
        count = max(suspects[0], 1) if suspects else len(ready)
        rows = db.execute(
            f"UPDATE message SET owner = ?, lease_until = ?, loan = loan + 1 WHERE id IN (SELECT id {_READY} LIMIT ?)"
            " RETURNING id, topic, body, key, failures + lost + 1, published_at, loan",
            (owner, lease_until, topic, now, count),
        ).fetchall()
    return [
        Delivery(Message(t, body, key), str(number), attempt, datetime.fromtimestamp(at, UTC), loan)
        for number, t, body, key, attempt, at, loan in sorted(rows)
    ]


def next_due(db: sqlite3.Connection, topic: str) -> float:
    """Unix time at which the next message that waits will be due; infinite if none waits."""
    due = db.execute("SELECT min(due_at) FROM message WHERE owner = '' AND topic = ?", (topic,)).fetchone()[0]
    return float("inf") if due is None else float(due)


def give_back_of(db: sqlite3.Connection, owner: str) -> None:
    """An owner gives back what it holds; that counts neither as failure nor as loss."""
    db.execute("UPDATE message SET owner = '' WHERE owner = ?", (owner,))


def give_back_lost(db: sqlite3.Connection, dead_owners: Sequence[str], now: float, max_losses: int) -> None:
    """Takes back what dead owners held and what is overdue; buries what was lost `max_losses` times."""
    for condition, value in [("owner = ?", owner) for owner in dead_owners] + [("owner > '' AND lease_until < ?", now)]:
        db.execute(f"UPDATE message SET owner = '', lost = lost + 1 WHERE {condition}", (value,))
    move_to_dead(db, LOST, "owner = '' AND lost >= ?", max_losses)


def move_to_dead(db: sqlite3.Connection, reason: str, condition: str, *values: float) -> None:
    """Makes dead letters of the messages for which `condition` holds."""
    db.execute(
        "INSERT INTO dead_letter (id, topic, key, body, reason, attempts, died_at)"
        f" SELECT id, topic, key, body, ?, failures + lost, ? FROM message WHERE {condition}",
        (reason, time.time(), *values),
    )
    db.execute(f"DELETE FROM message WHERE {condition}", values)
