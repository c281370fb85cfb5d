"""The port of the durable queue. Adapters: `sqlite_broker.SqliteBroker`, `memory_broker.MemoryBroker`.

Semantics every adapter keeps: `publish` returns only when the messages survive a crash; a message is delivered at least
once; a delivery that is not settled is delivered again when its consumer dies or its lease ends; a message that failed
`MAX_ATTEMPTS` times moves to the dead letters with the last reason; messages of one topic come in order of publication
unless redelivered.

A failure is what a consumer reports with `retry`. A message lost with its consumer has not failed: workers are killed
and restarted for many reasons. Only after `MAX_LOSSES` losses is it taken for what kills them, and buried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

MAX_ATTEMPTS = 5
MAX_LOSSES = 20


@dataclass(frozen=True, slots=True)
class Message:
    """What is published. `body` is UTF-8 JSON; `key` says what it is about (visitor, product), for people."""

    topic: str
    body: bytes
    key: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on loan to a consumer. `attempt` is 1 plus its failures and losses; `tag` identifies the loan."""

    message: Message
    message_id: str
    attempt: int
    published_at: datetime
    tag: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed too often, or was refused for good, with the last reason."""

    letter_id: str
    message: Message
    reason: str
    attempts: int
    died_at: datetime


class Broker(Protocol):
    """Thread-safe. Every method raises `meshkit.errors.Unavailable("queue")` when the queue is away."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Stores all or none; returns when durable."""
        ...

    def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
        """Up to `limit` deliveries, oldest first; waits up to `wait_s` seconds for the first; may be empty.

        May lend fewer than wait, such as one alone that failed before.
        """
        ...

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Done for good. Deliveries whose loan has ended and that were lent again meanwhile are passed over, as in all
        that settles."""
        ...

    def retry(self, deliveries: Sequence[Delivery], *, reason: str, delay_s: float) -> None:
        """Failed: deliver again after `delay_s`, or bury after the last attempt."""
        ...

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        """To the dead letters at once: retrying can not help."""
        ...

    def renew(self, deliveries: Sequence[Delivery]) -> None:
        """Prolongs the loan of deliveries whose job takes long."""
        ...

    def depth(self, topic: str) -> int:
        """Messages not settled yet."""
        ...

    def dead_letter_count(self, topic: str) -> int:
        """How many dead letters there are."""
        ...

    def dead_letters(self, topic: str, *, limit: int = 100) -> Sequence[DeadLetter]:
        """Oldest first."""
        ...

    def replay(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """Puts dead letters (None: all of the topic) back with a fresh count; returns how many."""
        ...

    def purge(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """Forgets dead letters (None: all of the topic); returns how many."""
        ...

    def close(self) -> None:
        """Gives back unsettled deliveries at once, without counting them as lost, and frees everything."""
        ...
