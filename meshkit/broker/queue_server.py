"""What stands behind a queue, for doctor and status."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from meshkit import topics
from meshkit.broker.port import Broker
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.errors import Unavailable


@dataclass(frozen=True, slots=True)
class QueueServer:
    """`name` and `version` of what keeps the messages; `latency_ms` of one question, None when it did not answer;
    `trouble` says why, or what else is wrong, "" when nothing is."""

    name: str
    version: str
    latency_ms: float | None
    trouble: str


def queue_server(broker: Broker) -> QueueServer:
    """Asks it now. Blocking, for at most the time of one call."""
    rabbit = isinstance(broker, RabbitBroker)
    began, version, trouble, latency_ms = time.monotonic(), sqlite3.sqlite_version, "", None
    try:
        if isinstance(broker, RabbitBroker):
            version, trouble = broker.version(), broker.blocked
        else:
            broker.dead_letter_count(topics.TRAIN)
        latency_ms = round((time.monotonic() - began) * 1000, 1)
    except Unavailable as error:
        trouble = error.message
    return QueueServer("RabbitMQ" if rabbit else "embedded", version, latency_ms, trouble)
