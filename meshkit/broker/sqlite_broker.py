"""A durable queue in one SQLite file, shared by the processes of one machine.

A loan names its owner (process id and start time): when the owner died, the next `receive` takes the message back at
once; when it hangs, the loan ends after `lease_s`. Publishing commits with synchronous=FULL, in groups. Receivers in
the process of a publisher are woken; others look at SQLite's change counter, up to 200 times a second at first and 20
times a second when nothing happens.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meshkit.broker.group_commit import GroupCommit
from meshkit.broker.owner import is_alive, process_name
from meshkit.broker.port import MAX_ATTEMPTS, MAX_LOSSES, DeadLetter, Delivery, Message
from meshkit.broker.sqlite_file import BUSY_TIMEOUT_S, SqliteFile, transaction_on
from meshkit.broker.sqlite_loans import SCHEMA, give_back_lost, give_back_of, lend, move_to_dead, next_due

LEASE_S = 60.0
POLL_S = (0.005, 0.05)  # shortest and longest pause between two looks at the change counter
RECLAIM_EVERY_S = 0.5


class SqliteBroker:
    """See `port.Broker`. The file and its folder are made when missing."""

    def __init__(
        self,
        path: Path,
        *,
        lease_s: float = LEASE_S,
        max_attempts: int = MAX_ATTEMPTS,
        max_losses: int = MAX_LOSSES,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._file = SqliteFile(path, part="queue", busy_timeout_s=busy_timeout_s)
        self._lease_s = lease_s
        self._max_attempts = max_attempts
        self._max_losses = max_losses
        self._owner = f"{process_name()}:{uuid.uuid4().hex}"
        self._signals: dict[str, _Signal] = defaultdict(_Signal)
        self._closing = False
        self._lending = threading.Lock()
        self._reclaim_lock = threading.Lock()
        self._reclaimed_at = float("-inf")
        self._make_tables()
        self._commits = GroupCommit(self._insert)

    def publish(self, messages: Sequence[Message]) -> None:
        """See `port.Broker`."""
        if messages:
            self._commits.submit(messages)
            self._wake(message.topic for message in messages)

    def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
        """See `port.Broker`."""
        deadline = time.monotonic() + wait_s
        signal = self._signals[topic]
        self._reclaim_sometimes()
        with self._file.connection() as db:
            while True:
                heard, version = signal.count, _version(db)
                lent = self._lend(db, topic, limit)
                if lent or self._closing or time.monotonic() >= deadline:
                    return lent
                due_in_s = next_due(db, topic) - time.time()
                until = min(deadline, time.monotonic() + max(due_in_s, 0.001))
                self._wait(until, signal, heard, db, version)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`."""
        with self._file.transaction() as db:
            db.executemany("DELETE FROM message WHERE id = ? AND loan = ?", [_loan(d) for d in deliveries])

    def retry(self, deliveries: Sequence[Delivery], *, reason: str, delay_s: float) -> None:
        """See `port.Broker`."""
        due = time.time() + delay_s
        with self._file.transaction() as db:
            for delivery in deliveries:
                db.execute(
                    "UPDATE message SET failures = failures + 1, owner = '', due_at = ? WHERE id = ? AND loan = ?",
                    (due, *_loan(delivery)),
                )
                move_to_dead(db, reason, "id = ? AND failures >= ?", int(delivery.message_id), self._max_attempts)
        self._wake(delivery.message.topic for delivery in deliveries)

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        """See `port.Broker`."""
        with self._file.transaction() as db:
            db.execute("UPDATE message SET failures = failures + 1 WHERE id = ? AND loan = ?", _loan(delivery))
            move_to_dead(db, reason, "id = ? AND loan = ?", *_loan(delivery))

    def renew(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`."""
        until = time.time() + self._lease_s
        with self._file.transaction() as db:
            db.executemany(
                "UPDATE message SET lease_until = ? WHERE id = ? AND loan = ? AND owner = ?",
                [(until, *_loan(d), self._owner) for d in deliveries],
            )

    def depth(self, topic: str) -> int:
        """See `port.Broker`."""
        ready, lent = (f"(SELECT count(*) FROM message WHERE topic = ? AND owner {of})" for of in ("= ''", "> ''"))
        return int(self._rows(f"SELECT {ready} + {lent}", topic, topic)[0][0])

    def dead_letter_count(self, topic: str) -> int:
        """See `port.Broker`."""
        return int(self._rows("SELECT count(*) FROM dead_letter WHERE topic = ?", topic)[0][0])

    def dead_letters(self, topic: str, *, limit: int = 100) -> Sequence[DeadLetter]:
        """See `port.Broker`."""
        rows = self._rows(
            "SELECT topic, body, key, id, reason, attempts, died_at FROM dead_letter "
            "WHERE topic = ? ORDER BY id LIMIT ?",
            topic,
            limit,
        )
        return [_dead_letter(*row) for row in rows]

    def replay(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        with self._file.transaction() as db:
            chosen = _chosen(db, topic, letter_ids)
            db.executemany(
                "INSERT INTO message (topic, key, body, published_at) "
                "SELECT topic, key, body, ? FROM dead_letter WHERE id = ?",
                [(time.time(), number) for number in chosen],
            )
            db.executemany("DELETE FROM dead_letter WHERE id = ?", [(number,) for number in chosen])
        self._wake([topic])
        return len(chosen)

    def purge(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        with self._file.transaction() as db:
            chosen = _chosen(db, topic, letter_ids)
            db.executemany("DELETE FROM dead_letter WHERE id = ?", [(number,) for number in chosen])
        return len(chosen)

    def used_bytes(self) -> int:
        """Bytes of the file that hold something; what was freed is used again before the file grows."""
        (size,), (pages,), (free,) = (
            self._rows(f"PRAGMA {name}")[0] for name in ("page_size", "page_count", "freelist_count")
        )
        return int(size * (pages - free))

    def close(self) -> None:
        """See `port.Broker`. A second call does nothing."""
        with self._lending:
            if self._closing:
                return
            self._closing = True
        self._commits.close()
        try:
            with self._file.transaction() as db:
                give_back_of(db, self._owner)
        finally:
            self._file.close()
            self._wake(list(self._signals))

    def _make_tables(self) -> None:
        try:
            with self._file.transaction() as db:
                for statement in SCHEMA:
                    db.execute(statement)
        except BaseException:
            self._file.close()
            raise

    def _lend(self, db: sqlite3.Connection, topic: str, limit: int) -> list[Delivery]:
        with self._lending:  # so that nothing is lent after `close` gave everything back
            if self._closing:
                return []
            return lend(db, self._owner, topic, limit, time.time() + self._lease_s)

    def _insert(self, messages: Sequence[Message]) -> None:
        now = time.time()
        with self._file.transaction() as db:
            db.executemany(
                "INSERT INTO message (topic, key, body, published_at) VALUES (?, ?, ?, ?)",
                [(m.topic, m.key, m.body, now) for m in messages],
            )

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._file.connection() as db:
            return db.execute(sql, values).fetchall()

    def _wake(self, topics: Iterable[str]) -> None:
        for topic in set(topics):
            self._signals[topic].send()

    def _wait(self, until: float, signal: _Signal, heard: int, db: sqlite3.Connection, version: int) -> None:
        """Until someone of this process signals, another process changes the file, a loan comes back, or `until`."""
        pause_s, longest_s = POLL_S
        while (left := until - time.monotonic()) > 0:
            if signal.wait(heard, min(pause_s, left)) or self._reclaim_sometimes() or _version(db) != version:
                return
            pause_s = min(pause_s * 1.5, longest_s)

    def _reclaim_sometimes(self) -> bool:
        """Twice a second for all threads: takes back loans of the dead and the hung; True if there were any."""
        with self._reclaim_lock:
            now = time.monotonic()
            if now - self._reclaimed_at < RECLAIM_EVERY_S:
                return False
            self._reclaimed_at = now
        with self._file.connection() as db:
            owners = db.execute(
                "SELECT owner, min(lease_until) FROM message WHERE owner > '' GROUP BY owner"
            ).fetchall()
            dead = [owner for owner, _ in owners if owner != self._owner and not is_alive(owner.rpartition(":")[0])]
            if not dead and all(lease_until >= time.time() for _, lease_until in owners):
                return False
            with transaction_on(db):
                give_back_lost(db, dead, time.time(), self._max_losses)
        self._wake(list(self._signals))
        return True


class _Signal:
    """Counts what happened to a topic in this process, for those who wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def send(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, heard: int, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count != heard, timeout_s)


def _version(db: sqlite3.Connection) -> int:
    """Changes whenever another connection, of this process or another, committed."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _loan(delivery: Delivery) -> tuple[int, int]:
    assert isinstance(delivery.tag, int)
    return int(delivery.message_id), delivery.tag


def _chosen(db: sqlite3.Connection, topic: str, letter_ids: Sequence[str] | None) -> list[int]:
    wanted = None if letter_ids is None else set(letter_ids)
    rows = db.execute("SELECT id FROM dead_letter WHERE topic = ? ORDER BY id", (topic,)).fetchall()
    return [number for (number,) in rows if wanted is None or str(number) in wanted]


def _dead_letter(topic: str, body: bytes, key: str, number: int, reason: str, attempts: int, at: float) -> DeadLetter:
    return DeadLetter(str(number), Message(topic, body, key), reason, attempts, datetime.fromtimestamp(at, UTC))
