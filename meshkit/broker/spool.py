"""The file in which messages wait while the queue is away. One process at a time drains it, many may add."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from meshkit import topics
from meshkit.broker.port import Delivery, Message
from meshkit.broker.sqlite_broker import SqliteBroker
from meshkit.errors import Unavailable

BATCH = 500
NEVER = 1_000_000_000
KEPT_FREE_BYTES = 64 * 1024**2  # of the disk: draining a file needs room too


class Spool:
    """A SQLite queue at `path`, with a lock beside it that its drainer holds until it closes or dies.

    `max_bytes` bounds the file. Every method raises Unavailable("spool") when the file can not be used.
    """

    def __init__(self, path: Path, *, max_bytes: int, kept_free_bytes: int = KEPT_FREE_BYTES) -> None:
        self._folder = path.parent
        self._max_bytes = max_bytes
        self._kept_free_bytes = kept_free_bytes
        self._file = SqliteBroker(path, max_losses=NEVER)
        self._lock = path.with_suffix(".lock").open("a")
        self._draining = False
        self._turn = 0
        self._held: Sequence[Delivery] = ()

    def add(self, messages: Sequence[Message]) -> None:
        """Durable at the end, behind what is there. Unavailable when the spool or its disk is full."""
        size = sum(len(message.body) for message in messages)
        if self._file.used_bytes() + size > self._max_bytes:
            allowed = f"{self._max_bytes / 1024**2:,.0f} MB (RECOMESH_SPOOL_MAX_MB)"
            raise Unavailable("spool", f"the spool is full: {self._folder} holds {allowed}")
        if shutil.disk_usage(self._folder).free < self._kept_free_bytes + size:
            raise Unavailable("spool", f"the disk of the spool is full: {self._folder}")
        self._file.publish(messages)

    def depth(self) -> int:
        """Messages in the file."""
        return sum(self._file.depth(topic) for topic in topics.ALL)

    @property
    def held_age_s(self) -> float:
        """Age of the oldest message of the batch at hand, 0 without one."""
        return (datetime.now(UTC) - self._held[0].published_at).total_seconds() if self._held else 0.0

    def oldest(self) -> Sequence[Message]:
        """The next batch of one topic, the same until `drop_oldest`; empty when there is none or another one drains."""
        if not self._held and self._is_drainer():
            self._turn += 1  # each topic gets its turn, however much comes for another
            turns = (topics.ALL[(self._turn + n) % len(topics.ALL)] for n in range(len(topics.ALL)))
            batches = (self._file.receive(topic, limit=BATCH, wait_s=0) for topic in turns)
            self._held = next((batch for batch in batches if batch), ())
        elif self._held:
            self._file.renew(self._held)
        return [delivery.message for delivery in self._held]

    def drop_oldest(self) -> None:
        """The queue has the batch."""
        self._file.ack(self._held)
        self._held = ()

    def close(self) -> None:
        """What was not dropped stays in the file."""
        self._file.close()
        self._lock.close()

    def _is_drainer(self) -> bool:
        if not self._draining:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._draining = True
        return self._draining
