"""The catalog over gRPC: cards that are wanted together share a call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import grpc.aio
import orjson
from recomesh.catalog.v1 import catalog_pb2
from recomesh.catalog.v1 import catalog_service_pb2 as messages
from recomesh.catalog.v1 import catalog_service_pb2_grpc as stubs

from edge.adapters.guarded_method import Upstream
from edge.adapters.micro_batcher import MicroBatcher
from edge.domain.card import Card
from edge.domain.listing import CatalogChanges, Category, ProductPage
from meshkit.product_card import card_from_proto

PART = "catalog"
FEED_PAGE = 5000
FEED_TIMEOUT_S = 10.0
LIST_TIMEOUT_S = 2.0


class GrpcCatalogGateway:
    """The `CatalogGateway` port.

    `timeout_s` holds where something else can answer (cards, search); lists and the feed may take longer.
    """

    def __init__(self, upstream: Upstream, *, timeout_s: float) -> None:
        method = upstream.method
        self._get_batch = method("BatchGetProducts", lambda c: _stub(c).BatchGetProducts, timeout_s=timeout_s)
        self._search = method("SearchProducts", lambda c: _stub(c).SearchProducts, timeout_s=timeout_s)
        self._list = method("ListProducts", lambda c: _stub(c).ListProducts, timeout_s=LIST_TIMEOUT_S)
        self._categories = method("ListCategories", lambda c: _stub(c).ListCategories, timeout_s=LIST_TIMEOUT_S)
        self._changes = method("ListChanges", lambda c: _stub(c).ListChanges, timeout_s=FEED_TIMEOUT_S)
        self._batches = MicroBatcher[Sequence[str], Mapping[str, Card]](PART, self._get, size=len, patience_s=timeout_s)

    async def cards(self, product_ids: Sequence[str]) -> Mapping[str, Card]:
        """See the port."""
        return await self._batches.submit(product_ids) if product_ids else {}

    async def page(self, filter_text: str, page_size: int, page_token: str) -> ProductPage:
        """See the port."""
        request = messages.ListProductsRequest(filter=filter_text, page_size=page_size, page_token=page_token)
        response = await self._list(request)
        return ProductPage(tuple(card_of(product) for product in response.products), response.next_page_token)

    async def search(self, query: str, filter_text: str, limit: int) -> Sequence[Card]:
        """See the port."""
        request = messages.SearchProductsRequest(query=query, filter=filter_text, limit=limit)
        response = await self._search(request)
        return [card_of(hit.product) for hit in response.hits]

    async def categories(self, parent: str) -> Sequence[Category]:
        """See the port."""
        request = messages.ListCategoriesRequest(parent=parent)
        response = await self._categories(request)
        return [Category(category.path, category.product_count) for category in response.categories]

    async def changes(self, after_revision: int) -> CatalogChanges:
        """See the port."""
        request = messages.ListChangesRequest(after_revision=after_revision, page_size=FEED_PAGE)
        response = await self._changes(request)
        cards = tuple(
            card_of(change.product, change.revision)
            if change.HasField("product")
            else Card.of_gone(change.product_id, change.revision)
            for change in response.changes
        )
        return CatalogChanges(cards, response.next_revision, response.has_more)

    async def end_of_feed(self) -> int:
        """See the port."""
        request = messages.ListChangesRequest(from_end=True, page_size=1)
        response = await self._changes(request)
        return response.next_revision

    async def _get(self, wanted: Sequence[Sequence[str]]) -> Sequence[Mapping[str, Card]]:
        ids = dict.fromkeys(product_id for part in wanted for product_id in part)
        request = messages.BatchGetProductsRequest(product_ids=ids)
        response = await self._get_batch(request)
        found = _by_id(response.products)
        if len(wanted) == 1:
            return [found]
        return [{product_id: found[product_id] for product_id in part if product_id in found} for part in wanted]


def card_of(product: catalog_pb2.Product, revision: int = 0) -> Card:
    """The card of a product message; `revision` where the message itself may not carry one."""
    return Card(
        product_id=product.product_id,
        revision=product.revision or revision,
        body=orjson.dumps(card_from_proto(product)),
        sold_out=product.availability == catalog_pb2.AVAILABILITY_OUT_OF_STOCK,
        hidden=product.hidden,
        expires_s=product.expires_at.seconds + product.expires_at.nanos / 1e9
        if product.HasField("expires_at")
        else math.inf,
    )


def _stub(channel: grpc.aio.Channel) -> stubs.CatalogServiceAsyncStub:
    stub: stubs.CatalogServiceAsyncStub = stubs.CatalogServiceStub(channel)
    return stub


def _by_id(products: Iterable[catalog_pb2.Product]) -> dict[str, Card]:
    return {product.product_id: card_of(product) for product in products}
