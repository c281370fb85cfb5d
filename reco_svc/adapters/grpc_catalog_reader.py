"""CatalogReader over gRPC, blocking: for use cases in threads and for the queue workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grpc
from recomesh.catalog.v1 import catalog_pb2
from recomesh.catalog.v1 import catalog_service_pb2 as svc
from recomesh.catalog.v1 import catalog_service_pb2_grpc as rpc

from meshkit.product_card import card_from_proto
from meshkit.rpc.client import call_sync
from reco_svc.adapters import grpc_mapping
from reco_svc.domain.model import Product, ProductChange

BATCH = 1_000
PART = "catalog"


class GrpcCatalogReader:
    """See `domain.ports.CatalogReader`. The channel is the caller's to close."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = rpc.CatalogServiceStub(channel)

    def changes_after(self, revision: int, *, limit: int = 5_000) -> tuple[Sequence[ProductChange], int, bool]:
        """One page of ListChanges."""
        request = svc.ListChangesRequest(after_revision=revision, page_size=limit)
        page = call_sync(self._stub.ListChanges, request, part=PART)
        return [grpc_mapping.product_change(c) for c in page.changes], page.next_revision, page.has_more

    def products(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """In the order asked, each once."""
        return [grpc_mapping.product(message) for message in self._messages(product_ids)]

    def cards(self, product_ids: Sequence[str]) -> Sequence[dict[str, object]]:
        """Those that exist as JSON cards (meshkit.product_card), with image and link, for pages."""
        return [card_from_proto(message) for message in self._messages(product_ids)]

    def _messages(self, product_ids: Sequence[str]) -> Iterator[catalog_pb2.Product]:
        ids = list(dict.fromkeys(product_ids))
        for start in range(0, len(ids), BATCH):
            request = svc.BatchGetProductsRequest(product_ids=ids[start : start + BATCH])
            yield from call_sync(self._stub.BatchGetProducts, request, part=PART).products
