"""Choosing the queue by URL."""

from __future__ import annotations

from pathlib import Path

import structlog

from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.port import Broker
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.broker.spool import Spool
from meshkit.broker.spooling_broker import SpoolingBroker
from meshkit.broker.sqlite_broker import SqliteBroker
from meshkit.errors import SettingsInvalid
from meshkit.settings import MeshSettings

log = structlog.get_logger()


def open_accepting_broker(settings: MeshSettings, service: str) -> Broker:
    """The queue for a service that must accept messages while the queue is away.

    RabbitMQ gets a spool in home, one for all processes of that service there. An embedded queue needs none: it is as
    near as the spool would be.
    """
    broker = open_broker(settings.queue_url)
    if not isinstance(broker, RabbitBroker):
        return broker
    path = settings.home.resolve() / "spool" / f"{service}.db"
    return SpoolingBroker(broker, Spool(path, max_bytes=settings.spool_max_mb * 1024**2))


def open_broker(url: str) -> Broker:
    """amqp://… (RabbitMQ), sqlite:///FILE (durable, for the processes of one machine) or memory:// (one process).

    SettingsInvalid for anything else.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return SqliteBroker(Path(rest[1:]))
    if scheme == "memory":
        log.warning("queue_in_memory", effect="no other process sees its messages, and they end with this process")
        return MemoryBroker()
    if scheme in ("amqp", "amqps"):
        try:
            return RabbitBroker(url)
        except ValueError as error:
            raise SettingsInvalid(f"RECOMESH_BROKER_URL: amqp://USER:PASSWORD@HOST:PORT/VHOST; {error}") from error
    allowed = "amqp://USER:PASSWORD@HOST:PORT/VHOST, sqlite:///FILE or memory://"
    raise SettingsInvalid(f"RECOMESH_BROKER_URL: {allowed}, not {scheme or 'nothing'}://…")
