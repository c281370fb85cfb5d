"""The composition root of the catalog: the only place that builds adapters."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from recomesh.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

from catalog_svc.adapters.mongo_import_jobs import MongoImportJobRepository
from catalog_svc.adapters.mongo_product_repository import MongoProductRepository
from catalog_svc.adapters.mongo_relay_cursor import MongoRelayCursor
from catalog_svc.adapters.mongo_store import MongoLimits, open_mongo
from catalog_svc.adapters.sql_engine import open_database
from catalog_svc.adapters.sql_import_jobs import SqlImportJobRepository
from catalog_svc.adapters.sql_product_repository import SqlProductRepository
from catalog_svc.adapters.sql_relay_cursor import SqlRelayCursor
from catalog_svc.domain.ports import ImportJobRepository, ProductRepository, RelayCursor
from catalog_svc.settings import CatalogSettings
from catalog_svc.transport.admin.app import admin_app, admin_plane
from catalog_svc.transport.admin.import_runner import ImportRunner
from catalog_svc.transport.admin.login import Login
from catalog_svc.transport.catalog import Catalog
from catalog_svc.transport.relay import Relay
from catalog_svc.transport.servicer import CatalogServicer
from meshkit.broker.open import open_broker
from meshkit.errors import RecomeshError
from meshkit.health import Health
from meshkit.postgres import PostgresLimits
from meshkit.process import blocking
from meshkit.rpc.server import start_server
from meshkit.security.open_gate import open_gate
from meshkit.security.rpc_guard import RpcGuard
from meshkit.web.admin_login import AdminLogin, admin_password
from meshkit.web.planes import serve_asgi

log = structlog.get_logger()
SERVICE_NAME = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"].full_name
VARIABLE = "RECOMESH_CATALOG_URL"


@dataclass(frozen=True, slots=True)
class CatalogStores:
    """All that the catalog keeps, in one store; closing `products` closes it."""

    products: ProductRepository
    cursor: RelayCursor
    jobs: ImportJobRepository


def open_stores(url: str, settings: CatalogSettings) -> CatalogStores:
    """Opens the store of a URL without waiting for it. SettingsInvalid if it is no URL of a known kind."""
    if url.startswith(("mongodb:", "mongodb+srv:")):
        limits = MongoLimits(settings.catalog_mongo_timeout_s, settings.catalog_mongo_pool_size)
        store = open_mongo(url, variable=VARIABLE, limits=limits)
        return CatalogStores(MongoProductRepository(store), MongoRelayCursor(store), MongoImportJobRepository(store))
    database = open_database(url, variable=VARIABLE, limits=PostgresLimits.of(settings))
    return CatalogStores(SqlProductRepository(database), SqlRelayCursor(database), SqlImportJobRepository(database))


@dataclass(frozen=True, slots=True)
class _Parts:
    products: ProductRepository
    catalog: Catalog
    runner: ImportRunner
    relay: Relay
    prepared: asyncio.Event


async def serve(settings: CatalogSettings, stop: asyncio.Event) -> None:
    """Serves gRPC and the admin plane until `stop`; drains running calls, then hands over what is left to the queue."""
    health = Health(["store"], [SERVICE_NAME])
    async with open_gate(settings, "catalog") as gate, _wired(settings) as parts:
        login = Login(AdminLogin(gate, settings.admin_user, admin_password(settings), secure=gate.tls is not None))
        plane = admin_plane(
            admin_app(parts.catalog, parts.runner, health, login),
            gate.audit,
            max_upload_bytes=settings.catalog_upload_max_mb * 1_000_000,
        )
        servicer = CatalogServicer(parts.catalog)
        server = await start_server(
            f"{settings.host}:{settings.catalog_port}",
            register=lambda s: catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(servicer, s),
            services=[SERVICE_NAME],
            health=health,
            guard=RpcGuard(gate),
            tls=gate.tls,
        )
        try:
            async with serve_asgi(
                plane, settings.host, settings.catalog_admin_port, drain_s=settings.drain_s, tls=gate.tls
            ):
                log.info("serving", grpc=settings.catalog_port, admin=settings.catalog_admin_port)
                await _watch_store(parts, health, settings.catalog_health_interval_s, stop)
                await health.stopping()
                await server.stop(settings.drain_s)
        finally:
            await server.stop(0)


@asynccontextmanager
async def _wired(settings: CatalogSettings) -> AsyncIterator[_Parts]:
    stores = open_stores(settings.catalog_url or settings.sqlite_url("catalog.db"), settings)
    broker = await blocking(open_broker, settings.queue_url)
    products = stores.products
    relay = Relay(products, stores.cursor, broker, interval_s=settings.catalog_relay_interval_s)
    catalog = Catalog(products, changed=relay.wake)
    runner = ImportRunner(catalog, stores.jobs, folder=settings.home / "imports", owner=socket.gethostname())
    prepared, relay_stop = asyncio.Event(), asyncio.Event()
    relaying = asyncio.create_task(_relay(relay, prepared, relay_stop))
    try:
        yield _Parts(products, catalog, runner, relay, prepared)
    finally:
        await blocking(runner.stop)
        relay_stop.set()
        prepared.set()
        relay.wake()
        await relaying
        await blocking(broker.close)
        products.close()


async def _relay(relay: Relay, prepared: asyncio.Event, stop: asyncio.Event) -> None:
    await prepared.wait()
    await relay.run(stop)


async def _watch_store(parts: _Parts, health: Health, interval_s: float, stop: asyncio.Event) -> None:
    """Until `stop`: says whether the store answers. Tables and old jobs are put in order when it first does."""
    while not stop.is_set():
        try:
            if parts.prepared.is_set():
                await blocking(parts.products.ping)
            else:
                await blocking(parts.products.prepare)
                await blocking(parts.runner.recover)
                parts.prepared.set()
            await health.set("store")
        except RecomeshError as error:
            await health.set("store", error.message)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
