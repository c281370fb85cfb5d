"""Reading the catalog, over a channel that is no socket."""

from collections.abc import Callable
from typing import Any

import pytest
from recomesh.catalog.v1 import catalog_pb2
from recomesh.catalog.v1 import catalog_service_pb2 as svc

from reco_svc.adapters.grpc_catalog_reader import GrpcCatalogReader
from reco_svc.domain.model import ProductChange


class FakeChannel:
    """Answers BatchGetProducts with every id asked but "gone"; keeps the requests."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def unary_unary(self, path: str, *_: object, **__: object) -> Callable[..., Any]:
        def call(request: Any, **_: object) -> Any:
            self.asked.append(request)
            return self._batch(request) if path.endswith("BatchGetProducts") else self._changes()

        return call

    def stream_unary(self, *_: object, **__: object) -> None:
        return None

    def _batch(self, request: svc.BatchGetProductsRequest) -> svc.BatchGetProductsResponse:
        found = [catalog_pb2.Product(product_id=p, title=f"Title {p}") for p in request.product_ids if p != "gone"]
        return svc.BatchGetProductsResponse(products=found)

    def _changes(self) -> svc.ListChangesResponse:
        deleted = catalog_pb2.Change(revision=7, product_id="p1", kind=catalog_pb2.CHANGE_KIND_DELETED)
        return svc.ListChangesResponse(changes=[deleted], next_revision=7, has_more=True)


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def reader(channel: FakeChannel) -> GrpcCatalogReader:
    return GrpcCatalogReader(channel)  # type: ignore[arg-type]


def test_products_come_in_order_without_those_that_are_gone(reader: GrpcCatalogReader) -> None:
    assert [p.product_id for p in reader.products(["b", "gone", "a", "b"])] == ["b", "a"]
    assert list(reader.products([])) == []


def test_many_products_are_asked_for_in_batches(reader: GrpcCatalogReader, channel: FakeChannel) -> None:
    assert len(reader.products([f"p{n}" for n in range(2_500)])) == 2_500
    assert [len(request.product_ids) for request in channel.asked] == [1_000, 1_000, 500]


def test_cards_are_for_pages(reader: GrpcCatalogReader) -> None:
    (card,) = reader.cards(["a", "gone"])

    assert (card["product_id"], card["title"], card["price"]) == ("a", "Title a", None)


def test_changes_come_with_where_to_go_on(reader: GrpcCatalogReader, channel: FakeChannel) -> None:
    assert reader.changes_after(3, limit=10) == ([ProductChange(7, "p1", None)], 7, True)
    assert (channel.asked[0].after_revision, channel.asked[0].page_size) == (3, 10)
