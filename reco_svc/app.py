"""The composition root of the recommender: the only place that builds adapters."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, TypeVar

import grpc
import grpc.aio
import structlog
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from meshkit.broker.open import open_accepting_broker
from meshkit.broker.port import Broker
from meshkit.broker.spooling_broker import spool_of
from meshkit.errors import RecomeshError
from meshkit.feed import FeedFollower
from meshkit.health import Health
from meshkit.postgres import PostgresLimits
from meshkit.process import blocking
from meshkit.redis.link import RedisLink
from meshkit.redis.open import open_link
from meshkit.rpc.client import open_channel, open_sync_channel
from meshkit.rpc.identity import mesh_identity
from meshkit.rpc.server import start_server
from meshkit.security.gate import Gate
from meshkit.security.open_gate import open_gate
from meshkit.security.rpc_guard import RpcGuard
from meshkit.web.admin_login import admin_password
from meshkit.web.planes import serve_wsgi
from meshkit.web.wsgi import WsgiApp
from reco_svc.adapters import django_setup
from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore, open_snapshots
from reco_svc.adapters.django_embedding_store import DjangoEmbeddingStore
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.adapters.django_model_registry import DjangoModelRegistry
from reco_svc.adapters.django_rule_repository import DjangoRuleRepository
from reco_svc.adapters.django_session import writing
from reco_svc.adapters.grpc_catalog_reader import GrpcCatalogReader
from reco_svc.adapters.grpc_feeds import GrpcCatalogFeed, GrpcPreferenceFeed, PreferenceChange
from reco_svc.adapters.memory_seen_events import MemorySeenEvents
from reco_svc.adapters.memory_session_store import MemorySessionStore
from reco_svc.adapters.redis_seen_events import RedisSeenEvents, SeenEventsTwice
from reco_svc.adapters.redis_session_store import RedisSessionStore
from reco_svc.adapters.spilling_session_store import SpillingSessionStore
from reco_svc.adapters.trial_index import trial_index
from reco_svc.domain.fresh_sessions import FreshSessions
from reco_svc.domain.model import Explanation, ProductChange
from reco_svc.domain.pipeline import default_pipeline
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import SeenEvents, SessionStore
from reco_svc.domain.readiness import SourceReadiness
from reco_svc.service.compile_kernels import compile_kernels
from reco_svc.service.erase_visitor import EraseVisitor
from reco_svc.service.explain import ExplainRecommendation, ReplayRecommendation
from reco_svc.service.import_interactions import ImportInteractions
from reco_svc.service.live_state import LiveState
from reco_svc.service.models import Models
from reco_svc.service.purchase_memory import PurchaseMemory
from reco_svc.service.recommend import Recommend
from reco_svc.service.recommendation_log import RecommendationLog
from reco_svc.service.record_interactions import RecordInteractions
from reco_svc.settings import RecoSettings, event_weights
from reco_svc.transport import followers
from reco_svc.transport.admin.plane import AdminPlane, admin_app, django_settings, ensure_admin
from reco_svc.transport.freshness import FreshnessReport
from reco_svc.transport.interaction_servicer import InteractionServicer
from reco_svc.transport.model_servicer import ModelServicer
from reco_svc.transport.recommendation_servicer import RecommendationServicer

log = structlog.get_logger()
SERVICES = [s.full_name for s in reco_service_pb2.DESCRIPTOR.services_by_name.values()]
RULES_INTERVAL_S = 0.5
SESSIONS_INTERVAL_S = 1.0
PREVIEW_S = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Stores:
    interactions: DjangoInteractionLog
    rules: DjangoRuleRepository
    registry: DjangoModelRegistry
    embeddings: DjangoEmbeddingStore
    snapshots: DirectorySnapshotStore
    broker: Broker
    catalog: grpc.Channel
    sessions: SessionStore
    seen: SeenEvents


async def serve(settings: RecoSettings, stop: asyncio.Event) -> None:
    """Serves gRPC and the admin plane until `stop`; NOT_SERVING until the catalog and the active snapshot are in, and
    kernels compiled."""
    health = Health(["store", "catalog", "snapshot", "kernels"], SERVICES)
    async with (
        open_gate(settings, "reco") as gate,
        _stores(settings) as stores,
        _channel(settings, "catalog") as catalog,
        _channel(settings, "profile") as profile,
    ):
        reco = Reco(settings, stores, catalog, profile, health)
        plane = await blocking(reco.admin_plane, gate)
        server = await start_server(
            f"{settings.host}:{settings.reco_port}",
            register=reco.register,
            services=SERVICES,
            health=health,
            guard=RpcGuard(gate),
            tls=gate.tls,
        )
        try:
            async with serve_wsgi(plane, settings.host, settings.reco_admin_port, tls=gate.tls):
                log.info("serving", grpc=settings.reco_port, admin=settings.reco_admin_port)
                await reco.run(stop)
                await health.stopping()
        finally:
            await server.stop(settings.drain_s)


class Reco:
    """Everything of one recommender process, wired over its stores and the channels to catalog and profile."""

    def __init__(
        self,
        settings: RecoSettings,
        stores: _Stores,
        catalog: grpc.aio.Channel,
        profile: grpc.aio.Channel,
        health: Health,
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._health = health
        self._loop = asyncio.get_running_loop()
        self.live = LiveState(
            popularity=Popularity(weights=event_weights(settings)),
            warm_up=lambda view: default_pipeline().warm_up(view, datetime.now(UTC)),
        )
        self.purchases = PurchaseMemory()
        self.fresh = FreshSessions()
        self._answers = RecommendationLog(settings.reco_log_size)
        self._settled = self._compiled = False
        self._explain = ExplainRecommendation(self.live, self._answers)
        self.recommend = Recommend(self.live, stores.sessions, self.purchases, self._answers, ready=self._loaded)
        self.models = Models(stores.registry, stores.snapshots, stores.broker)
        self._erase = EraseVisitor(stores.interactions, stores.sessions)
        interval_s = settings.reco_feed_interval_s
        self._catalog: FeedFollower[ProductChange] = FeedFollower(
            "catalog", GrpcCatalogFeed(catalog).fetch, self._apply_products, interval_s=interval_s
        )
        self._preferences: FeedFollower[PreferenceChange] = FeedFollower(
            "profile", GrpcPreferenceFeed(profile).fetch, self._apply_preferences, interval_s=interval_s
        )

        self._freshness = FreshnessReport(
            self.live, lambda: self._catalog.age_s, lambda: self._preferences.age_s, spool_of(stores.broker)
        )

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the three services."""
        recommendations = RecommendationServicer(
            recommend=self.recommend.many,
            explain=self._explain,
            replay=ReplayRecommendation(self._answers),
            freshness=self._freshness,
            readiness=self._freshness.readiness,
        )
        record = RecordInteractions(
            self._stores.broker,
            self._stores.seen,
            self._stores.sessions,
            self.live.knows_product,
            late_after=timedelta(seconds=self._settings.reco_late_after_s),
        )
        interactions = InteractionServicer(
            record=record, start_import=lambda: ImportInteractions(self._stores.interactions), erase=self.erase
        )
        reco_service_pb2_grpc.add_RecommendationServiceServicer_to_server(recommendations, server)
        reco_service_pb2_grpc.add_InteractionServiceServicer_to_server(interactions, server)
        reco_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(self.models), server)

    def admin_plane(self, gate: Gate) -> WsgiApp:
        """The Django admin plane. Blocking."""
        settings = self._settings
        with writing():
            ensure_admin(settings.admin_user, admin_password(settings))
        cards = GrpcCatalogReader(self._stores.catalog)
        return admin_app(
            AdminPlane(
                preview=lambda query: self._on_loop(self.recommend(query)),
                explain=lambda recommendation_id, product_id: self._on_loop(
                    self._explained(recommendation_id, product_id)
                ),
                cards=cards.cards,
                models=self.models,
                health=self._health.report,
                readiness=lambda: self._on_loop(self._readiness()),
                keys=gate.keys,
                audit=gate.audit,
                shop_url=f"http://{settings.host}:{settings.edge_port}",
            )
        )

    def _loaded(self) -> bool:
        return self._compiled and (bool(self.live.model_version) or self._catalog.caught_up.is_set())

    def _on_loop(self, work: Coroutine[object, object, T]) -> T:
        """Does what only the loop may do, for a thread of the admin plane."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PREVIEW_S)

    async def _readiness(self) -> Sequence[SourceReadiness]:
        return self._freshness.readiness()

    async def _explained(self, recommendation_id: str, product_id: str) -> Explanation:
        return self._explain(recommendation_id, product_id)

    def erase(self, visitor_id: str) -> Mapping[str, int]:
        """Forgets a visitor, in memory too. Blocking; called from any thread."""
        erased = self._erase(visitor_id)
        self._loop.call_soon_threadsafe(self.purchases.forget, visitor_id)
        self._loop.call_soon_threadsafe(self._answers.erase, visitor_id)
        self.fresh.forget(visitor_id)
        return erased

    async def run(self, stop: asyncio.Event) -> None:
        """Loads what answers are made of, then keeps it current until `stop`."""
        snapshot = followers.Loop("snapshot", self._follow_snapshot(), RULES_INTERVAL_S)
        rules = followers.Loop("rules", followers.follow_rules(self.live, self._stores.rules), RULES_INTERVAL_S)
        counts = followers.Loop(
            "counters", followers.follow_counts(self.live, self._stores.interactions), RULES_INTERVAL_S
        )
        silence = timedelta(seconds=self._settings.reco_session_timeout_s)
        restore = followers.restore_sessions(self._stores.sessions, self._stores.interactions, silence)
        sessions = followers.Loop("sessions", restore, SESSIONS_INTERVAL_S)
        interval_s = self._settings.reco_feed_interval_s
        vectors = followers.follow_vectors(self.live, self._stores.embeddings)
        purchases = followers.follow_purchases(self.purchases, self._stores.interactions)
        neighbours = followers.follow_sessions(self.live, self._stores.interactions, self.fresh)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._compile(stop))
            for loop in (snapshot, rules, counts, sessions):
                await loop.once()
            self._catalog.revision = self.live.catalog_revision
            for loop in (
                snapshot,
                rules,
                counts,
                sessions,
                followers.Loop("vectors", vectors, interval_s),
                followers.Loop("neighbours", neighbours, RULES_INTERVAL_S),
                followers.Loop("purchases", purchases, interval_s),
                followers.Loop("health", self._check, interval_s),
            ):
                group.create_task(loop.run(stop))
            group.create_task(self._catalog.run(stop))
            group.create_task(self._preferences.run(stop))

    async def _compile(self, stop: asyncio.Event) -> None:
        """What can not be kept in a file is compiled again at the next start. No trouble is a reason not to serve: then
        questions compile what is missing."""
        try:
            trouble = await blocking(partial(compile_kernels, default_pipeline(), trial_index, stopped=stop.is_set))
            if trouble:
                log.warning("kernels_not_kept", error=str(trouble))
        except Exception:  # a damaged file of a kernel, above all
            log.error("kernels_not_compiled", exc_info=True)
        if not stop.is_set():
            self._compiled = True
            await self._health.set("kernels")

    def _follow_snapshot(self) -> followers.Step:
        snapshots = self._stores.snapshots
        return followers.follow_snapshot(self.live, snapshots, snapshots.load, self._health)

    async def _check(self) -> None:
        """A catalog that goes away later is no trouble: answers come from the copy."""
        loaded = self._catalog.caught_up.is_set()
        if loaded and self._compiled and not self._settled:
            gc.freeze()  # what was loaded lives on: no garbage collection walks it again, and stops answers for 0.1 s
            self._settled = True
        await self._health.set("catalog", "" if loaded else "waiting for the catalog")
        try:
            await blocking(self._stores.rules.version)
            await self._health.set("store")
        except RecomeshError as error:
            await self._health.set("store", error.message)

    async def _apply_products(self, changes: Sequence[ProductChange]) -> None:
        self.live.apply_products(changes)

    async def _apply_preferences(self, changes: Sequence[PreferenceChange]) -> None:
        self.live.apply_preferences((c.visitor_id, c.preferences) for c in changes)


@asynccontextmanager
async def _stores(settings: RecoSettings) -> AsyncIterator[_Stores]:
    url = settings.database_url or settings.sqlite_url("reco.db")
    extra = django_settings(host=settings.host, secure_cookies=settings.tls_dir is not None)
    await blocking(lambda: django_setup.configure(url, settings.home, limits=PostgresLimits.of(settings), extra=extra))
    await blocking(django_setup.migrate)
    broker = await blocking(open_accepting_broker, settings, "reco")
    catalog = open_sync_channel(settings.target("catalog"), settings.service_config, mesh_identity(settings, "reco"))
    redis = open_link(settings.cache_url)
    try:
        yield _Stores(
            interactions=DjangoInteractionLog(),
            rules=DjangoRuleRepository(),
            registry=DjangoModelRegistry(),
            embeddings=DjangoEmbeddingStore(),
            snapshots=open_snapshots(settings.snapshot_url or f"file://{settings.home.resolve() / 'snapshots'}"),
            broker=broker,
            catalog=catalog,
            sessions=_session_store(settings, redis),
            seen=MemorySeenEvents() if redis is None else SeenEventsTwice(RedisSeenEvents(redis), MemorySeenEvents()),
        )
    finally:
        catalog.close()
        if redis is not None:
            await redis.aclose()
        await blocking(broker.close)


def _session_store(settings: RecoSettings, redis: RedisLink | None) -> SessionStore:
    silence, visitors = timedelta(seconds=settings.reco_session_timeout_s), settings.reco_session_visitors
    if redis is None:
        return MemorySessionStore(silence=silence, max_visitors=visitors)
    shared = RedisSessionStore(redis, silence=silence)
    return SpillingSessionStore(shared, silence=silence, max_visitors=visitors)


@asynccontextmanager
async def _channel(settings: RecoSettings, service: Literal["catalog", "profile"]) -> AsyncIterator[grpc.aio.Channel]:
    channel = open_channel(settings.target(service), settings.service_config, mesh_identity(settings, "reco"))
    try:
        yield channel
    finally:
        await channel.close()
