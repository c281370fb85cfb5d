"""`recomesh.catalog.v1.CatalogService` over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from recomesh.catalog.v1 import catalog_pb2, catalog_service_pb2_grpc
from recomesh.catalog.v1 import catalog_service_pb2 as pb

from catalog_svc.domain.model import Rejection
from catalog_svc.service.delete_products import delete_products
from catalog_svc.service.get_products import batch_get_products, check_id, found
from catalog_svc.service.import_products import ImportTotals, store_batch
from catalog_svc.service.list_categories import list_categories
from catalog_svc.service.list_changes import list_changes
from catalog_svc.service.list_products import list_products
from catalog_svc.service.search_products import search_products
from catalog_svc.service.upsert_products import MAX_BATCH, upsert_products
from catalog_svc.transport.catalog import Catalog
from catalog_svc.transport.mapping import (
    change_to_proto,
    product_to_proto,
    products_from_proto,
    rejections_to_proto,
)
from catalog_svc.transport.product_reader import ProductReader
from meshkit.errors import InvalidArgument
from meshkit.process import blocking

Context = grpc.aio.ServicerContext[Any, Any]


class CatalogServicer(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Each rpc reads or writes in a thread; limits and failures are those of the proto."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._reader = ProductReader(catalog.products)

    async def GetProduct(self, request: pb.GetProductRequest, context: Context) -> pb.GetProductResponse:
        """One product."""
        check_id(request.product_id)
        product = found(request.product_id, await self._reader.get(request.product_id))
        return pb.GetProductResponse(product=product_to_proto(product))

    async def BatchGetProducts(
        self, request: pb.BatchGetProductsRequest, context: Context
    ) -> pb.BatchGetProductsResponse:
        """Many products."""
        return await blocking(self._batch_get, request)

    async def ListProducts(self, request: pb.ListProductsRequest, context: Context) -> pb.ListProductsResponse:
        """A page of products."""
        return await blocking(self._list, request)

    async def SearchProducts(self, request: pb.SearchProductsRequest, context: Context) -> pb.SearchProductsResponse:
        """Products by words."""
        return await blocking(self._search, request)

    async def ListCategories(self, request: pb.ListCategoriesRequest, context: Context) -> pb.ListCategoriesResponse:
        """Categories with counts."""
        listed = await blocking(list_categories, self._catalog.products, request.parent, self._catalog.clock())
        categories = [catalog_pb2.Category(path=c.path, product_count=c.product_count) for c in listed]
        return pb.ListCategoriesResponse(categories=categories)

    async def UpsertProducts(self, request: pb.UpsertProductsRequest, context: Context) -> pb.UpsertProductsResponse:
        """Creates or replaces products."""
        return await blocking(self._upsert, request)

    async def DeleteProducts(self, request: pb.DeleteProductsRequest, context: Context) -> pb.DeleteProductsResponse:
        """Deletes products."""
        done = await blocking(delete_products, self._catalog.products, request.product_ids, self._catalog.clock())
        self._catalog.changed()
        return pb.DeleteProductsResponse(deleted=done.deleted, unknown_ids=done.unknown_ids, revision=done.revision)

    async def ImportProducts(
        self, request_iterator: AsyncIterator[pb.ImportProductsRequest], context: Context
    ) -> pb.ImportProductsResponse:
        """Stores each batch as it arrives."""
        totals = ImportTotals()
        async for request in request_iterator:
            await blocking(self._store, request, totals)
        return pb.ImportProductsResponse(
            read=totals.read,
            created=totals.created,
            updated=totals.updated,
            unchanged=totals.unchanged,
            rejected=rejections_to_proto(totals.rejected),
            rejected_count=totals.rejected_count,
        )

    async def ListChanges(self, request: pb.ListChangesRequest, context: Context) -> pb.ListChangesResponse:
        """The change feed."""
        return await blocking(self._changes, request)

    def _batch_get(self, request: pb.BatchGetProductsRequest) -> pb.BatchGetProductsResponse:
        products, unknown = batch_get_products(self._catalog.products, request.product_ids)
        return pb.BatchGetProductsResponse(products=map(product_to_proto, products), unknown_ids=unknown)

    def _list(self, request: pb.ListProductsRequest) -> pb.ListProductsResponse:
        listing = list_products(
            self._catalog.products,
            filter=request.filter,
            page_size=request.page_size,
            page_token=request.page_token,
            include_hidden=request.include_hidden,
            now=self._catalog.clock(),
        )
        products = map(product_to_proto, listing.products)
        return pb.ListProductsResponse(products=products, next_page_token=listing.next_page_token)

    def _search(self, request: pb.SearchProductsRequest) -> pb.SearchProductsResponse:
        hits = search_products(
            self._catalog.products,
            query=request.query,
            filter=request.filter,
            limit=request.limit,
            now=self._catalog.clock(),
        )
        return pb.SearchProductsResponse(
            hits=[pb.SearchHit(product=product_to_proto(hit.product), score=hit.score) for hit in hits]
        )

    def _upsert(self, request: pb.UpsertProductsRequest) -> pb.UpsertProductsResponse:
        if not request.products:
            raise InvalidArgument.of("products", f"must be 1 to {MAX_BATCH:,}, not 0")
        _check_batch(len(request.products))
        candidates, unreadable = products_from_proto(request.products)
        done = upsert_products(self._catalog.products, candidates, self._catalog.clock())
        self._catalog.changed()
        return pb.UpsertProductsResponse(
            created=done.written.created,
            updated=done.written.updated,
            unchanged=done.written.unchanged,
            rejected=rejections_to_proto([*unreadable, *done.rejected]),
            revision=done.written.revision,
        )

    def _store(self, request: pb.ImportProductsRequest, totals: ImportTotals) -> list[Rejection]:
        _check_batch(len(request.products))
        candidates, unreadable = products_from_proto(request.products, totals.read)
        refused = store_batch(self._catalog.products, totals, candidates, unreadable, self._catalog.clock())
        self._catalog.changed()
        return list(refused)

    def _changes(self, request: pb.ListChangesRequest) -> pb.ListChangesResponse:
        if request.from_end:
            return pb.ListChangesResponse(next_revision=self._catalog.products.revision())
        page = list_changes(self._catalog.products, request.after_revision, request.page_size)
        changes = [change_to_proto(change) for change in page.changes]
        last = changes[-1].revision if changes else request.after_revision
        return pb.ListChangesResponse(changes=changes, next_revision=last, has_more=page.has_more)


def _check_batch(size: int) -> None:
    if size > MAX_BATCH:
        raise InvalidArgument.of("products", f"must be at most {MAX_BATCH:,} at once, not {size:,}")
