"""Messages as RabbitMQ carries them: body as it is, all else in properties and headers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pika.spec import PERSISTENT_DELIVERY_MODE, BasicProperties

from meshkit.broker.port import DeadLetter, Message

LOST = "its worker died or hung each time"
_KEY, _AT, _FAILURES = "recomesh-key", "recomesh-published-us", "recomesh-failures"
_REASON, _ATTEMPTS, _DIED = "recomesh-reason", "recomesh-attempts", "recomesh-died-us"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Carried:
    """A message with its history: how often it failed (`retry`) and was lost with its consumer."""

    message: Message
    message_id: str
    published_at: datetime
    failures: int = 0
    losses: int = 0

    @property
    def suspect(self) -> bool:
        """True if it may be what kills its consumers, or fails: lent alone, it takes no other along."""
        return self.failures > 0 or self.losses > 1


def first(message: Message) -> Carried:
    """A message that is published now."""
    return Carried(message, uuid.uuid4().hex, datetime.now(UTC))


def properties(carried: Carried) -> BasicProperties:
    """For a queue from which it will be delivered."""
    headers = {
        _KEY: carried.message.key,
        _AT: _microseconds(carried.published_at),
        _FAILURES: carried.failures,
    }
    return _properties(carried, headers)


def dead_properties(carried: Carried, reason: str) -> BasicProperties:
    """For the queue of dead letters."""
    headers = {
        _KEY: carried.message.key,
        _AT: _microseconds(carried.published_at),
        _REASON: reason,
        _ATTEMPTS: carried.failures + carried.losses,
        _DIED: _microseconds(datetime.now(UTC)),
    }
    return _properties(carried, headers)


def carried(topic: str, given: BasicProperties, body: bytes) -> Carried:
    """A delivery. What another program published lacks our headers: it counts as published now."""
    headers = given.headers or {}
    return Carried(
        Message(topic, body, str(headers.get(_KEY, ""))),
        given.message_id or uuid.uuid4().hex,
        _time(headers, _AT),
        _number(headers, _FAILURES),
        _number(headers, "x-delivery-count"),
    )


def dead_letter(topic: str, given: BasicProperties, body: bytes, max_losses: int) -> DeadLetter:
    """A dead letter; one without our reason was moved by the server, after `max_losses` losses."""
    headers = given.headers or {}
    message = Message(topic, body, str(headers.get(_KEY, "")))
    letter_id = given.message_id or ""
    if _REASON in headers:
        attempts = _number(headers, _ATTEMPTS)
        return DeadLetter(letter_id, message, str(headers[_REASON]), attempts, _time(headers, _DIED))
    attempts = _number(headers, _FAILURES) + max_losses
    return DeadLetter(letter_id, message, LOST, attempts, _moved_at(headers))


def _properties(carried: Carried, headers: Mapping[str, object]) -> BasicProperties:
    return BasicProperties(
        content_type="application/json",
        delivery_mode=PERSISTENT_DELIVERY_MODE,
        message_id=carried.message_id,
        headers=dict(headers),
    )


def _moved_at(headers: Mapping[str, Any]) -> datetime:
    deaths = headers.get("x-death") or [{}]
    at = deaths[0].get("time")
    return at.replace(tzinfo=at.tzinfo or UTC) if isinstance(at, datetime) else datetime.now(UTC)


def _time(headers: Mapping[str, Any], name: str) -> datetime:
    at = _number(headers, name)
    return _EPOCH + timedelta(microseconds=at) if at else datetime.now(UTC)


def _number(headers: Mapping[str, Any], name: str) -> int:
    value = headers.get(name, 0)
    return value if isinstance(value, int) else 0


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
