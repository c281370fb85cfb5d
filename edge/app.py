"""The composition root of the edge: the only file that builds adapters and wires them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc.aio
import structlog

from edge.adapters import cache_metrics
from edge.adapters import shared_values as values
from edge.adapters.grpc_catalog_gateway import GrpcCatalogGateway
from edge.adapters.grpc_profile_gateway import GrpcProfileGateway
from edge.adapters.grpc_reco_gateway import GrpcRecoGateway
from edge.adapters.guarded_method import Upstream
from edge.adapters.memory_cache import MemoryCache
from edge.adapters.redis_shared_cache import NothingShared, RedisSharedCache
from edge.adapters.replica_set import ReplicaSet
from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.domain.listing import Category
from edge.domain.ports import CatalogGateway, ProfileGateway, RecoGateway, SharedCache
from edge.domain.recommendation import Question, Recommendation
from edge.service.answer_memory import AnswerMemory
from edge.service.answers_again import AnswersAgain
from edge.service.card_book import CardBook
from edge.service.follow_catalog import FollowCatalog
from edge.service.freshness import Freshness
from edge.service.leaderboard import Leaderboard
from edge.service.products import Products
from edge.service.profiles import Profiles
from edge.service.recommend import Recommend
from edge.service.recommend_page import RecommendPage
from edge.service.record_events import RecordEvents
from edge.service.replay import ReplayMemory
from edge.service.search import Search
from edge.settings import EdgeSettings
from edge.transport.api import create_app
from edge.transport.hot_answers import HotAnswers
from edge.transport.internal import create_internal_app
from edge.transport.limits import LimitRules, Limits
from edge.transport.route_class import RouteClass
from edge.transport.services import Services
from meshkit.feed import FeedFollower
from meshkit.health import Health
from meshkit.limiting.gcra import MemoryLimiter, RateLimiter
from meshkit.limiting.shared_limiter import SharedLimiter
from meshkit.redis.link import RedisLink
from meshkit.redis.open import open_link
from meshkit.resilience.admission import Admission
from meshkit.rpc.client import open_channel
from meshkit.rpc.identity import mesh_identity
from meshkit.security.open_gate import open_gate
from meshkit.settings import Service
from meshkit.web.client_address import Networks
from meshkit.web.planes import serve_asgi
from meshkit.web.shedding_protocol import SheddingProtocol

log = structlog.get_logger()
CATEGORIES_TTL_S = 5.0
HEALTH_INTERVAL_S = 0.1
# Requests that wait for a service that hangs cost nothing, and a fallback is coming; and large batches are cheap.
FEWEST_ADMITTED = 128


@dataclass(frozen=True, slots=True)
class SharedCaches:
    """What edges share, over one Redis or not at all."""

    cards: SharedCache[str, Card]
    answers: SharedCache[Question, Recommendation]
    redis: RedisLink | None = None

    @classmethod
    def of(cls, settings: EdgeSettings, redis: RedisLink | None) -> SharedCaches:
        """As the settings say."""
        if redis is None:
            return cls(NothingShared(), NothingShared())
        cards = RedisSharedCache[str, Card](
            redis,
            "cards",
            ttl_s=settings.edge_card_ttl_s,
            key_of=str,
            encode=values.encode_card,
            decode=values.decode_card,
        )
        answers = RedisSharedCache[Question, Recommendation](
            redis,
            "answers",
            ttl_s=settings.edge_answer_ttl_s,
            key_of=values.question_key,
            encode=values.encode_answer,
            decode=values.decode_answer,
        )
        return cls(cards, answers, redis)

    def status(self) -> str:
        """For people."""
        return "none" if self.redis is None else "away" if self.redis.away else "in use"

    async def settle(self) -> None:
        """Until what is on its way is shared."""
        await self.cards.settle()
        await self.answers.settle()


def _card_cache(settings: EdgeSettings) -> MemoryCache[str, Card]:
    return MemoryCache(
        name="cards",
        max_entries=settings.edge_card_max,
        ttl_s=settings.edge_card_ttl_s,
        keep_s=float("inf"),
        revalidate_s=settings.edge_stale_s,
    )


def _answer_cache(settings: EdgeSettings) -> MemoryCache[Question, Recommendation]:
    return MemoryCache(
        name="answers",
        max_entries=settings.edge_answer_max,
        ttl_s=settings.edge_answer_ttl_s,
        keep_s=settings.edge_stale_s,
        revalidate_s=settings.edge_stale_s,
    )


class Edge:
    """Everything of one edge process, wired over three gateways and the `upstreams` they ask."""

    def __init__(
        self,
        settings: EdgeSettings,
        catalog: CatalogGateway,
        reco: RecoGateway,
        profiles: ProfileGateway,
        limiter: RateLimiter,
        shared: SharedCaches,
        upstreams: Sequence[Upstream] = (),
    ) -> None:
        self._settings = settings
        self._upstreams = upstreams
        self._shared = shared
        self._held_cards, self._held_answers = _card_cache(settings), _answer_cache(settings)
        categories = MemoryCache[str, Sequence[Category]](name="categories", max_entries=200, ttl_s=CATEGORIES_TTL_S)
        history = ChangeHistory()
        cards = CardBook(catalog, self._held_cards, shared.cards, history, ttl_s=settings.edge_card_ttl_s)
        answers = AnswerMemory(self._held_answers, shared.answers, history)
        follow = FollowCatalog(catalog, cards, answers, categories, history)
        self.admission = Admission(fewest=FEWEST_ADMITTED)
        self.health = Health(["recommendations", "catalog"])
        self.leaderboard = Leaderboard(reco, cards, answers)
        self.follower = FeedFollower[Card]("catalog", follow.fetch, follow.apply)
        replays = ReplayMemory()
        recommend = Recommend(reco, cards, answers, self.leaderboard)
        self.services = Services(
            recommend=recommend,
            page=RecommendPage(recommend),
            again=AnswersAgain(reco, cards),
            products=Products(catalog, cards, categories),
            search=Search(catalog, reco, cards),
            record_events=RecordEvents(reco),
            profiles=Profiles(profiles, replays),
            freshness=Freshness(reco, lambda: self.follower.age_s),
            answers=answers,
            replays=replays,
            limits=Limits(limiter, _limit_rules(settings)),
            hot=HotAnswers(cards.known, lambda: answers.epoch),
            health=self.health,
            write_timeout_s=settings.edge_write_timeout_s,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Follows catalog, leaderboard and replicas, and keeps readiness true, until `stop` is set."""
        self.admission.start()
        replicas = (upstream.replicas.run(stop) for upstream in self._upstreams)
        await asyncio.gather(self.follower.run(stop), self.leaderboard.run(stop), self._watch_health(stop), *replicas)

    def status(self) -> dict[str, object]:
        """Facts for people."""
        return {
            "cards": len(self._held_cards),
            "answers": len(self._held_answers),
            "caches": cache_metrics.report(),
            "redis": self._shared.status(),
            "answers_epoch": self.services.answers.epoch,
            "feed_revision": self.follower.revision,
            "feed_age_s": self.follower.age_s,
            "admission": {"limit": self.admission.limit, "overloaded": self.admission.overloaded},
            "circuits": [line for upstream in self._upstreams for line in upstream.status()],
            "replicas": [line for upstream in self._upstreams for line in upstream.replicas.status()],
        }

    async def _watch_health(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            # Once it had an answer from both, the edge serves fallbacks whatever is away: it stays ready.
            await self.health.set("recommendations", "" if self.leaderboard.ready else self.leaderboard.trouble)
            await self.health.set("catalog", "" if self.follower.caught_up.is_set() else "starting")
            try:
                await asyncio.wait_for(stop.wait(), HEALTH_INTERVAL_S)
            except TimeoutError:
                continue


def _limit_rules(settings: EdgeSettings) -> LimitRules:
    return LimitRules(
        per_minute={
            RouteClass.READ: settings.edge_limit_read,
            RouteClass.RECOMMEND: settings.edge_limit_recommend,
            RouteClass.EVENTS: settings.edge_limit_events,
            RouteClass.WRITE: settings.edge_limit_write,
        },
        auth_failures=settings.edge_limit_auth_failures,
        product_events=settings.edge_limit_product_events,
        visitor_product_events=settings.edge_limit_visitor_product_events,
        key_factor=settings.edge_limit_key_factor,
        exempt=Networks(settings.edge_limit_exempt),
        trusted_proxies=Networks(settings.edge_trusted_proxies),
    )


@asynccontextmanager
async def _limiter(settings: EdgeSettings, redis: RedisLink | None) -> AsyncIterator[RateLimiter]:
    if redis is None:
        yield MemoryLimiter()
        return
    limiter = SharedLimiter(redis, replicas=settings.edge_limit_replicas)
    yield limiter
    await limiter.settle()


@asynccontextmanager
async def _redis(settings: EdgeSettings) -> AsyncIterator[RedisLink | None]:
    redis = open_link(settings.cache_url)
    try:
        yield redis
    finally:
        if redis is not None:
            await redis.aclose()


@asynccontextmanager
async def open_edge(settings: EdgeSettings) -> AsyncIterator[Edge]:
    """An edge over gRPC channels to the three services."""
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(_redis(settings))
        limiter = await stack.enter_async_context(_limiter(settings, redis))
        shared = SharedCaches.of(settings, redis)
        stack.push_async_callback(shared.settle)
        catalog, reco, profile = [_upstream(settings, name) for name in ("catalog", "reco", "profile")]
        for upstream in (catalog, reco, profile):
            stack.push_async_callback(upstream.replicas.close)
        yield Edge(
            settings,
            GrpcCatalogGateway(catalog, timeout_s=settings.edge_catalog_timeout_s),
            GrpcRecoGateway(
                reco, recommend_timeout_s=settings.edge_reco_timeout_s, events_timeout_s=settings.edge_write_timeout_s
            ),
            GrpcProfileGateway(profile, timeout_s=settings.edge_write_timeout_s),
            limiter,
            shared,
            (catalog, reco, profile),
        )


def _upstream(settings: EdgeSettings, part: Service) -> Upstream:
    """A service with a channel for each of its replicas; the edge retries by itself, gRPC does not."""
    identity = mesh_identity(settings, "edge")

    def channel(address: str) -> grpc.aio.Channel:
        return open_channel(address, settings.service_config, identity, retries=False)

    return Upstream(ReplicaSet(part, settings.targets(part), channel))


async def serve(settings: EdgeSettings, stop: asyncio.Event) -> None:
    """Serves the public and the internal port until `stop` is set, then finishes running requests."""
    async with open_gate(settings, "edge") as gate, open_edge(settings) as edge:
        app = create_app(
            edge.services,
            gate,
            edge.admission,
            max_body_bytes=settings.edge_max_body_bytes,
            deadline_s=settings.edge_deadline_s,
        )
        internal = create_internal_app(edge.health, gate, edge.status)
        ended = asyncio.Event()
        async with (
            serve_asgi(internal, settings.host, settings.edge_metrics_port),
            serve_asgi(
                app,
                settings.host,
                settings.edge_port,
                drain_s=settings.drain_s,
                tls=gate.tls,
                protocol=partial(SheddingProtocol, app),
            ),
        ):
            log.info("serving", port=settings.edge_port, metrics_port=settings.edge_metrics_port)
            background = asyncio.create_task(edge.run(ended))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((stopping, background), return_when=asyncio.FIRST_COMPLETED)
            await edge.health.stopping()
        stopping.cancel()
        ended.set()
        await background
