"""The composition root of the queue workers: the only place that builds adapters."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog

from meshkit import topics
from meshkit.broker.open import open_broker
from meshkit.broker.port import Broker
from meshkit.errors import RecomeshError
from meshkit.health import Health
from meshkit.process import blocking
from meshkit.rpc.client import open_sync_channel
from meshkit.rpc.identity import mesh_identity
from meshkit.web.planes import serve_asgi
from queue_workers.adapters.grpc_visitor_eraser import GrpcVisitorEraser
from queue_workers.service.embedder_loading import EmbedderLoading
from queue_workers.settings import WorkerSettings
from queue_workers.training import prepare_database, training
from queue_workers.transport.consumer import Subscription
from queue_workers.transport.internal import internal_app
from queue_workers.transport.jobs.embed_products import embed_products_job
from queue_workers.transport.jobs.erase_visitors import erase_visitors_job
from queue_workers.transport.jobs.train_model import train_model_job
from queue_workers.transport.jobs.write_interactions import write_interactions_job
from queue_workers.transport.pool import ConsumerPool
from reco_svc.adapters.django_embedding_store import DjangoEmbeddingStore
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.adapters.embedder_choice import open_embedder
from reco_svc.adapters.grpc_catalog_reader import GrpcCatalogReader
from reco_svc.service.embed_products import EmbedProducts
from reco_svc.service.keep_log import KeepLog
from reco_svc.service.write_interactions import WriteInteractions

log = structlog.get_logger()
CHECK_S = 1.0
EMBED_BATCH = 4  # messages of at most 200 products each: about 3 s of work, so that a stop need not wait long


@dataclass(frozen=True, slots=True)
class _Parts:
    broker: Broker
    pool: ConsumerPool
    embedder: EmbedderLoading
    ping_database: Callable[[], object]
    keep_log: Callable[[], object]
    stopping: threading.Event
    give_up_training: Callable[[], object]


async def serve(settings: WorkerSettings, stop: asyncio.Event) -> None:
    """Works until `stop`, then finishes what is at hand for at most `drain_s` and gives the rest back."""
    health = Health(["queue", "database", "consumers", "embedder"])
    async with _wired(settings) as parts:
        plane = internal_app(health, parts.broker, parts.pool.consumers, lambda: parts.embedder.note)
        async with serve_asgi(plane, settings.host, settings.worker_port, drain_s=1):
            log.info("serving", port=settings.worker_port)
            parts.embedder.start()
            parts.pool.start(topics.INTERACTIONS, topics.VISITOR_ERASED, topics.TRAIN)
            async with asyncio.TaskGroup() as group:
                group.create_task(_watch(parts, health, stop))
                group.create_task(_keep_log(parts, stop))
            parts.stopping.set()
            await health.stopping()
            finished = await blocking(parts.pool.stop, settings.drain_s)
            if not finished:
                await blocking(_trouble, parts.give_up_training)
    if not finished or not parts.embedder.wait(0):
        _leave_at_once()


@asynccontextmanager
async def _wired(settings: WorkerSettings) -> AsyncIterator[_Parts]:
    await blocking(prepare_database, settings)
    broker = await blocking(open_broker, settings.queue_url)
    identity = mesh_identity(settings, "workers")
    catalog_channel = open_sync_channel(settings.target("catalog"), settings.service_config, identity)
    reco_channel = open_sync_channel(settings.target("reco"), settings.service_config, identity)
    stopping = threading.Event()
    interactions, embeddings = DjangoInteractionLog(), DjangoEmbeddingStore()
    catalog = GrpcCatalogReader(catalog_channel)
    choice = open_embedder(settings.worker_embedder, settings.worker_weights)
    embedder = EmbedderLoading(choice.model, lambda: choice.note)
    train = training(
        settings,
        catalog,
        interactions,
        embeddings,
        choice,
        engine=settings.worker_engine,
        stopping=stopping.is_set,
    )
    embed = EmbedProducts(catalog, embeddings, embedder)
    subscriptions = [
        Subscription(
            topics.INTERACTIONS,
            write_interactions_job(WriteInteractions(interactions)),
            batch=settings.worker_events_batch,
            consumers=settings.worker_events_consumers,
        ),
        Subscription(topics.PRODUCT_CHANGED, embed_products_job(embed), batch=EMBED_BATCH),
        Subscription(topics.VISITOR_ERASED, erase_visitors_job(GrpcVisitorEraser(reco_channel)), batch=20),
        Subscription(topics.TRAIN, train_model_job(train)),
    ]
    pool = ConsumerPool(broker, subscriptions)
    try:
        keep_log = KeepLog(interactions, settings.database_retention_days, lambda: datetime.now(UTC))
        yield _Parts(broker, pool, embedder, interactions.latest_at, keep_log, stopping, train.give_up)
    finally:
        await blocking(broker.close)
        catalog_channel.close()
        reco_channel.close()


async def _watch(parts: _Parts, health: Health, stop: asyncio.Event) -> None:
    """Until `stop`: says what works. Products are embedded from the moment the embedder is there."""
    while not stop.is_set():
        await health.set("queue", await blocking(_trouble, partial(parts.broker.depth, topics.TRAIN)))
        await health.set("database", await blocking(_trouble, parts.ping_database))
        await health.set("consumers", parts.pool.trouble)
        await health.set("embedder", parts.embedder.trouble)
        if parts.embedder.wait(0):
            parts.pool.start(topics.PRODUCT_CHANGED)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_S)


async def _keep_log(parts: _Parts, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await blocking(parts.keep_log)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_S)


def _trouble(ask: Callable[[], object]) -> str:
    try:
        ask()
    except RecomeshError as error:
        return error.message
    return ""


def _leave_at_once() -> None:
    """Ends the process where it stands: a thread is in native code (torch), and Python would abort on its way out.

    Everything durable is closed, and what was on loan is back in the queue.
    """
    log.info("stopped")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
