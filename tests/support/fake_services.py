"""Catalog, recommender and profiles as small servicers in this process, for tests of the edge over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc.aio
from recomesh.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from recomesh.profile.v1 import profile_pb2, profile_service_pb2, profile_service_pb2_grpc
from recomesh.reco.v1 import reco_pb2, reco_service_pb2, reco_service_pb2_grpc

from bench.ports import free_ports
from meshkit.errors import InvalidArgument, NotFound, RecomeshError, Unavailable
from meshkit.filtering import PRODUCT_FIELDS, parse
from meshkit.health import Health
from meshkit.product_card import money_from_float
from meshkit.rpc.server import start_server
from meshkit.rpc.status import to_status
from tests.support.gates import local_guard

CREATED = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


def product(product_id: str, **fields: object) -> catalog_pb2.Product:
    """A product in stock at 19.50 EUR."""
    made = catalog_pb2.Product(
        product_id=product_id,
        title=str(fields.get("title", f"Product {product_id}")),
        description=str(fields.get("description", "Made for tests")),
        categories=fields.get("categories", ["Home > Kitchen"]),  # type: ignore[arg-type]
        brand=str(fields.get("brand", "Acme")),
        price=money_from_float(float(str(fields.get("price", 19.5))), "EUR"),
        availability=fields.get("availability", catalog_pb2.AVAILABILITY_IN_STOCK),  # type: ignore[arg-type]
        hidden=bool(fields.get("hidden", False)),
    )
    made.created_at.FromDatetime(CREATED)
    if isinstance(expires_at := fields.get("expires_at"), datetime):
        made.expires_at.FromDatetime(expires_at)
    return made


@dataclass
class Trouble:
    """How a fake misbehaves: raises `error`, waits `delay_s` first, or holds answers until `gate` is set."""

    error: RecomeshError | None = None
    delay_s: float = 0.0
    gate: asyncio.Event | None = None

    async def happen(self) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error


@dataclass
class FakeCatalog(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Products in memory with a compacted change feed."""

    products: dict[str, catalog_pb2.Product] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    revision: int = 0
    trouble: Trouble = field(default_factory=Trouble)
    calls: list[str] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)

    def put(self, made: catalog_pb2.Product) -> None:
        self.revision += 1
        stored = catalog_pb2.Product()
        stored.CopyFrom(made)
        stored.revision = self.revision
        self.products[made.product_id] = stored
        self.deleted.pop(made.product_id, None)

    def delete(self, product_id: str) -> None:
        self.revision += 1
        del self.products[product_id]
        self.deleted[product_id] = self.revision

    async def GetProduct(self, request, context):  # type: ignore[no-untyped-def]
        await self._called("GetProduct")
        if request.product_id not in self.products:
            raise NotFound("product", request.product_id)
        return catalog_service_pb2.GetProductResponse(product=self.products[request.product_id])

    async def BatchGetProducts(self, request, context):  # type: ignore[no-untyped-def]
        await self._called("BatchGetProducts")
        self.batches.append(list(request.product_ids))
        found = [self.products[i] for i in request.product_ids if i in self.products]
        unknown = [i for i in request.product_ids if i not in self.products]
        return catalog_service_pb2.BatchGetProductsResponse(products=found, unknown_ids=unknown)

    async def ListProducts(self, request, context):  # type: ignore[no-untyped-def]
        await self._called("ListProducts")
        parse(request.filter, PRODUCT_FIELDS)
        ids = sorted(i for i, p in self.products.items() if not p.hidden and i > request.page_token)
        size = request.page_size or 50
        token = ids[size - 1] if len(ids) > size else ""
        return catalog_service_pb2.ListProductsResponse(
            products=[self.products[i] for i in ids[:size]], next_page_token=token
        )

    async def SearchProducts(self, request, context):  # type: ignore[no-untyped-def]
        await self._called("SearchProducts")
        parse(request.filter, PRODUCT_FIELDS)
        words = request.query.lower().split()
        hits = [p for _, p in sorted(self.products.items()) if any(w in p.title.lower() for w in words)]
        return catalog_service_pb2.SearchProductsResponse(
            hits=[catalog_service_pb2.SearchHit(product=p, score=1.0) for p in hits[: request.limit]]
        )

    async def ListCategories(self, request, context):  # type: ignore[no-untyped-def]
        await self._called("ListCategories")
        counts: dict[str, int] = {}
        for one in self.products.values():
            parts = one.categories[0].split(" > ")
            for end in range(1, len(parts) + 1):
                path = " > ".join(parts[:end])
                counts[path] = counts.get(path, 0) + 1
        listed = [catalog_pb2.Category(path=path, product_count=n) for path, n in sorted(counts.items())]
        return catalog_service_pb2.ListCategoriesResponse(categories=listed)

    async def ListChanges(self, request, context):  # type: ignore[no-untyped-def]
        await self._called("ListChanges")
        if request.from_end:
            return catalog_service_pb2.ListChangesResponse(next_revision=self.revision)
        changes = [
            catalog_pb2.Change(revision=p.revision, product_id=i, kind=catalog_pb2.CHANGE_KIND_UPSERTED, product=p)
            for i, p in self.products.items()
        ]
        changes += [
            catalog_pb2.Change(revision=revision, product_id=i, kind=catalog_pb2.CHANGE_KIND_DELETED)
            for i, revision in self.deleted.items()
        ]
        newer = sorted((c for c in changes if c.revision > request.after_revision), key=lambda c: c.revision)
        return catalog_service_pb2.ListChangesResponse(changes=newer, next_revision=self.revision)

    async def _called(self, name: str) -> None:
        self.calls.append(name)
        await self.trouble.happen()


@dataclass
class FakeReco(reco_service_pb2_grpc.RecommendationServiceServicer, reco_service_pb2_grpc.InteractionServiceServicer):
    """Recommends `ranking`, less what the question excludes; accepts every event once."""

    ranking: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    model_version: str = "model-1"
    rules_version: str = "rules-1"
    source: str = "popular"
    trouble: Trouble = field(default_factory=Trouble)
    events_trouble: Trouble = field(default_factory=Trouble)
    questions: list[reco_service_pb2.RecommendRequest] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    events: dict[str, reco_pb2.Interaction] = field(default_factory=dict)
    event_batches: list[int] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    answered: int = 0

    async def BatchRecommend(self, request, context):  # type: ignore[no-untyped-def]
        self.batches.append(len(request.requests))
        sent = dict(context.invocation_metadata())
        self.request_ids.append(str(sent.get("x-request-id", "")))
        await self.trouble.happen()
        results = []
        for question in request.requests:
            self.questions.append(question)
            try:
                results.append(reco_service_pb2.BatchRecommendResult(response=self._answer(question)))
            except RecomeshError as error:
                results.append(reco_service_pb2.BatchRecommendResult(error=to_status(error)))
        return reco_service_pb2.BatchRecommendResponse(results=results)

    async def ReplayRecommendation(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        if request.recommendation_id == "gone":
            raise NotFound("recommendation", "gone")
        answer = self._answer(reco_service_pb2.RecommendRequest(limit=3))
        answer.recommendation_id = request.recommendation_id
        return reco_service_pb2.ReplayRecommendationResponse(response=answer)

    async def ExplainRecommendation(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        if request.recommendation_id == "gone":
            raise NotFound("recommendation", "gone")
        opinion = reco_service_pb2.SourceOpinion(source="similar", score=0.5, rank=2)
        return reco_service_pb2.ExplainRecommendationResponse(opinions=[opinion], removed_by="below_limit")

    async def RecordInteractions(self, request, context):  # type: ignore[no-untyped-def]
        await self.events_trouble.happen()
        self.event_batches.append(len(request.interactions))
        verdicts = []
        for event in request.interactions:
            verdict = reco_pb2.VERDICT_DUPLICATE if event.event_id in self.events else reco_pb2.VERDICT_ACCEPTED
            self.events.setdefault(event.event_id, event)
            verdicts.append(reco_pb2.EventVerdict(event_id=event.event_id, verdict=verdict))
        return reco_service_pb2.RecordInteractionsResponse(verdicts=verdicts)

    async def GetFreshness(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        model = reco_pb2.FreshnessEntry(name="model", age_s=12.5, note="MiniLM")
        model.as_of.FromDatetime(CREATED)
        never = reco_pb2.FreshnessEntry(name="interactions", age_s=-1)
        return reco_service_pb2.GetFreshnessResponse(entries=[model, never])

    def _answer(self, question: reco_service_pb2.RecommendRequest) -> reco_service_pb2.RecommendResponse:
        parse(question.filter, PRODUCT_FIELDS)
        if question.context.query == "poison":
            raise InvalidArgument.of("context.query", "is poison")
        context_ids = [i for i in (question.context.product_id, *question.context.basket) if i]
        refused = {*question.exclude, *context_ids}
        chosen = [i for i in self.ranking if i not in refused][: question.limit or 10]
        self.answered += 1
        response = reco_service_pb2.RecommendResponse(
            recommendation_id=f"rec-{self.answered}",
            items=[
                reco_pb2.RecommendedItem(
                    product_id=i,
                    position=position,
                    score=1.0 / position,
                    source=self.source,
                    reasons=[f"popular_in:{i}"],
                )
                for position, i in enumerate(chosen, 1)
            ],
            unknown_ids=[i for i in context_ids if i not in self.known],
            model_version=self.model_version,
            rules_version=self.rules_version,
        )
        response.generated_at.FromDatetime(CREATED)
        return response


@dataclass
class FakeProfile(profile_service_pb2_grpc.ProfileServiceServicer):
    """Preferences in memory."""

    held: dict[str, profile_pb2.Preferences] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    masks: list[list[str]] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)

    async def GetPreferences(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        empty = profile_pb2.Preferences(visitor_id=request.visitor_id)
        return profile_service_pb2.GetPreferencesResponse(preferences=self.held.get(request.visitor_id, empty))

    async def UpdatePreferences(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        self.masks.append(list(request.update_mask.paths))
        visitor_id = request.preferences.visitor_id
        held = self.held.setdefault(visitor_id, profile_pb2.Preferences(visitor_id=visitor_id))
        for path in request.update_mask.paths:
            held.ClearField(path)
        changed = profile_pb2.Preferences()
        request.update_mask.MergeMessage(request.preferences, changed)
        held.MergeFrom(changed)
        held.updated_at.FromDatetime(CREATED)
        return profile_service_pb2.UpdatePreferencesResponse(preferences=held)

    async def EraseProfile(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        count = 1 if self.held.pop(request.visitor_id, None) else 0
        self.erased.append(request.visitor_id)
        receipt = profile_pb2.ErasureReceipt(
            receipt_id=f"receipt-{len(self.erased)}",
            parts=[
                profile_pb2.ErasedPart(
                    store="profile", what="preferences", count=count, state=profile_pb2.ERASURE_STATE_ERASED
                ),
                profile_pb2.ErasedPart(
                    store="reco", what="interactions", count=0, state=profile_pb2.ERASURE_STATE_PENDING
                ),
            ],
        )
        receipt.requested_at.FromDatetime(CREATED)
        return profile_service_pb2.EraseProfileResponse(receipt=receipt)


@dataclass
class FakeMesh:
    """The three fakes and where they listen."""

    catalog: FakeCatalog = field(default_factory=FakeCatalog)
    reco: FakeReco = field(default_factory=FakeReco)
    profile: FakeProfile = field(default_factory=FakeProfile)
    targets: dict[str, str] = field(default_factory=dict)

    def stock(self, products: Iterable[catalog_pb2.Product]) -> None:
        """Puts products into the catalog and at the end of the ranking."""
        for made in products:
            self.catalog.put(made)
            self.reco.ranking.append(made.product_id)
            self.reco.known.add(made.product_id)

    def away(self, part: str) -> None:
        """Every call of a part fails as if its process were gone."""
        error = Unavailable(part)
        getattr(self, part).trouble = Trouble(error=error)
        if part == "reco":
            self.reco.events_trouble = Trouble(error=error)

    def back(self, part: str) -> None:
        """The part answers again."""
        getattr(self, part).trouble = Trouble()
        if part == "reco":
            self.reco.events_trouble = Trouble()


@asynccontextmanager
async def serving(mesh: FakeMesh) -> AsyncIterator[FakeMesh]:
    """Serves the fakes on ports that the OS chooses."""
    async with AsyncExitStack() as stack:
        for name, port in zip(("catalog", "reco", "profile"), free_ports(3), strict=True):
            server = await _serve(mesh, name, f"127.0.0.1:{port}")
            stack.push_async_callback(server.stop, 0)
            mesh.targets[name] = f"127.0.0.1:{port}"
        yield mesh


async def _serve(mesh: FakeMesh, name: str, address: str) -> grpc.aio.Server:
    def register(server: grpc.aio.Server) -> None:
        if name == "catalog":
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(mesh.catalog, server)
        elif name == "reco":
            reco_service_pb2_grpc.add_RecommendationServiceServicer_to_server(mesh.reco, server)
            reco_service_pb2_grpc.add_InteractionServiceServicer_to_server(mesh.reco, server)
        else:
            profile_service_pb2_grpc.add_ProfileServiceServicer_to_server(mesh.profile, server)

    return await start_server(address, register=register, services=[], health=Health([]), guard=local_guard())
