"""A queue in the memory of one process: for tests, and for trying things out. Survives nothing."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from meshkit.broker.port import MAX_ATTEMPTS, DeadLetter, Delivery, Message


@dataclass
class _Entry:
    number: int
    message: Message
    published_at: datetime
    attempts: int = 0
    due: float = 0.0
    lent: bool = False


class MemoryBroker:
    """See `port.Broker`."""

    def __init__(self, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._max_attempts = max_attempts
        self._changed = threading.Condition()
        self._entries: dict[int, _Entry] = {}
        self._letters: dict[str, DeadLetter] = {}
        self._numbers = itertools.count(1)

    def publish(self, messages: Sequence[Message]) -> None:
        """See `port.Broker`."""
        with self._changed:
            for message in messages:
                number = next(self._numbers)
                self._entries[number] = _Entry(number, message, datetime.now(UTC))
            self._changed.notify_all()

    def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
        """See `port.Broker`."""
        deadline = time.monotonic() + wait_s
        with self._changed:
            while True:
                now = time.monotonic()
                ready = [e for e in self._entries.values() if e.message.topic == topic and not e.lent and e.due <= now]
                if ready or now >= deadline:
                    return [self._lend(entry) for entry in ready[:limit]]
                dues = [e.due for e in self._entries.values() if e.message.topic == topic and not e.lent]
                self._changed.wait(min([deadline, *dues]) - now)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`."""
        with self._changed:
            for delivery in deliveries:
                self._entries.pop(int(delivery.message_id), None)

    def retry(self, deliveries: Sequence[Delivery], *, reason: str, delay_s: float) -> None:
        """See `port.Broker`."""
        with self._changed:
            for delivery in deliveries:
                entry = self._entries.get(int(delivery.message_id))
                if entry is None:
                    continue
                if entry.attempts >= self._max_attempts:
                    self._bury(entry, reason)
                else:
                    entry.lent, entry.due = False, time.monotonic() + delay_s
            self._changed.notify_all()

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        """See `port.Broker`."""
        with self._changed:
            if entry := self._entries.get(int(delivery.message_id)):
                self._bury(entry, reason)

    def renew(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`; loans do not end here."""

    def depth(self, topic: str) -> int:
        """See `port.Broker`."""
        with self._changed:
            return sum(e.message.topic == topic for e in self._entries.values())

    def dead_letter_count(self, topic: str) -> int:
        """See `port.Broker`."""
        return len(self.dead_letters(topic, limit=len(self._letters)))

    def dead_letters(self, topic: str, *, limit: int = 100) -> Sequence[DeadLetter]:
        """See `port.Broker`."""
        with self._changed:
            return [letter for letter in self._letters.values() if letter.message.topic == topic][:limit]

    def replay(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        chosen = self._take(topic, letter_ids)
        self.publish([letter.message for letter in chosen])
        return len(chosen)

    def purge(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        return len(self._take(topic, letter_ids))

    def close(self) -> None:
        """See `port.Broker`; deliveries not settled can be received again."""
        with self._changed:
            for entry in self._entries.values():
                entry.attempts -= entry.lent
                entry.lent = False
            self._changed.notify_all()

    def _lend(self, entry: _Entry) -> Delivery:
        entry.lent = True
        entry.attempts += 1
        return Delivery(replace(entry.message), str(entry.number), entry.attempts, entry.published_at, entry.number)

    def _bury(self, entry: _Entry, reason: str) -> None:
        del self._entries[entry.number]
        letter_id = str(entry.number)
        self._letters[letter_id] = DeadLetter(letter_id, entry.message, reason, entry.attempts, datetime.now(UTC))

    def _take(self, topic: str, letter_ids: Sequence[str] | None) -> list[DeadLetter]:
        with self._changed:
            chosen = [
                letter
                for letter in self._letters.values()
                if letter.message.topic == topic and (letter_ids is None or letter.letter_id in letter_ids)
            ]
            for letter in chosen:
                del self._letters[letter.letter_id]
            return chosen
