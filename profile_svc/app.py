"""The composition root of the profile service: the only place that builds adapters."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from recomesh.profile.v1 import profile_service_pb2_grpc

from meshkit.broker.open import open_accepting_broker
from meshkit.errors import RecomeshError
from meshkit.health import Health
from meshkit.postgres import PostgresLimits
from meshkit.process import blocking
from meshkit.rpc.client import open_sync_channel
from meshkit.rpc.identity import mesh_identity
from meshkit.rpc.server import start_server
from meshkit.security.open_gate import open_gate
from meshkit.security.rpc_guard import RpcGuard
from meshkit.web.admin_login import AdminLogin, admin_password
from meshkit.web.planes import serve_wsgi
from meshkit.web.wsgi import with_request_context
from profile_svc.adapters.broker_erasure_queue import BrokerErasureQueue
from profile_svc.adapters.grpc_visitor_eraser import GrpcVisitorEraser
from profile_svc.adapters.sql_preference_repository import SqlPreferenceRepository
from profile_svc.adapters.sql_segment_repository import SqlSegmentRepository
from profile_svc.adapters.sql_store import open_engine
from profile_svc.domain.ports import PreferenceRepository
from profile_svc.service.use_cases import UseCases, use_cases
from profile_svc.settings import ProfileSettings
from profile_svc.transport.admin.app import admin_app
from profile_svc.transport.servicer import SERVICE_NAME, ProfileServicer

log = structlog.get_logger()
PING_S = 2.0
TIDY_S = 600.0


async def serve(settings: ProfileSettings, stop: asyncio.Event) -> None:
    """Serves gRPC and the admin plane until `stop`; drains running calls."""
    health = Health(["store"], [SERVICE_NAME])
    async with open_gate(settings, "profile") as gate, _wired(settings) as (repository, do):
        login = AdminLogin(gate, settings.admin_user, admin_password(settings), secure=gate.tls is not None)
        server = await start_server(
            f"{settings.host}:{settings.profile_port}",
            register=lambda s: profile_service_pb2_grpc.add_ProfileServiceServicer_to_server(ProfileServicer(do), s),
            services=[SERVICE_NAME],
            health=health,
            guard=RpcGuard(gate),
            tls=gate.tls,
        )
        plane = with_request_context(admin_app(do, login, health))
        port, threads = settings.profile_admin_port, settings.profile_admin_threads
        try:
            async with serve_wsgi(plane, settings.host, port, threads=threads, tls=gate.tls):
                log.info("serving", grpc=settings.profile_port, admin=port)
                await _watch(settings, repository, do, health, stop)
                await health.stopping()
        finally:
            await server.stop(settings.drain_s)


@asynccontextmanager
async def _wired(settings: ProfileSettings) -> AsyncIterator[tuple[PreferenceRepository, UseCases]]:
    url = settings.database_url or settings.sqlite_url("profile.db")
    engine = await asyncio.to_thread(open_engine, url, PostgresLimits.of(settings))
    broker = await blocking(open_accepting_broker, settings, "profile")
    channel = open_sync_channel(settings.target("reco"), settings.service_config, mesh_identity(settings, "profile"))
    try:
        repository = SqlPreferenceRepository(engine)
        do = use_cases(
            repository,
            SqlSegmentRepository(engine),
            GrpcVisitorEraser(channel, timeout_s=settings.profile_erase_timeout_s),
            BrokerErasureQueue(broker),
            lambda: datetime.now(UTC),
        )
        yield repository, do
    finally:
        channel.close()
        await blocking(broker.close)
        engine.dispose()


async def _watch(
    settings: ProfileSettings, repository: PreferenceRepository, do: UseCases, health: Health, stop: asyncio.Event
) -> None:
    """Until `stop`: says whether the store answers, and drops old tombstones."""
    loop = asyncio.get_running_loop()
    tidy_at = loop.time()
    while not stop.is_set():
        try:
            await blocking(repository.ping)
            await blocking(_relay, do)
            if loop.time() >= tidy_at:
                await blocking(_tidy, settings, repository, do)
                tidy_at = loop.time() + TIDY_S
            await health.set("store")
        except RecomeshError as error:
            await health.set("store", error.message)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PING_S)


def _relay(do: UseCases) -> None:
    try:
        if relayed := do.relay():
            log.info("erasures_relayed", count=relayed)
    except RecomeshError as error:  # the orders stay open; the next round tries again
        log.warning("erasures_not_relayed", reason=error.reason, error=error.message)


def _tidy(settings: ProfileSettings, repository: PreferenceRepository, do: UseCases) -> None:
    do.segments.finish_touch()
    do.segments.count()  # follows the feed before its tombstones go
    before = datetime.now(UTC) - timedelta(hours=settings.profile_tombstone_hours)
    if forgotten := repository.forget_tombstones(before):
        log.info("tombstones_forgotten", count=forgotten)
