"""The JSON API of the plane: the operations of `CatalogService` over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from catalog_svc.domain.model import Product, Rejection
from catalog_svc.domain.validation import violations_of
from catalog_svc.service.delete_products import delete_products
from catalog_svc.service.get_products import batch_get_products, get_product
from catalog_svc.service.list_categories import list_categories
from catalog_svc.service.list_changes import list_changes
from catalog_svc.service.list_products import list_products
from catalog_svc.service.overview import overview
from catalog_svc.service.search_products import search_products
from catalog_svc.service.upsert_products import MAX_BATCH, upsert_products
from catalog_svc.transport.admin.shapes import (
    CARD_SCHEMA,
    Json,
    body_schema,
    card_of,
    change_of,
    counts_of,
    json_body,
    list_of,
    list_schema,
    written_of,
)
from catalog_svc.transport.catalog import Catalog
from catalog_svc.transport.mapping import product_from_proto
from meshkit.errors import FieldViolation, InvalidArgument, NotFound
from meshkit.product_card import product_from_card

MAX_REVISION = 2**63 - 1
ProductId = Annotated[str, Path(description="The product's id; it may hold slashes.")]
Size = Annotated[int, Query(description="0 means the default; more than the most means the most.")]
Body = Annotated[object, Depends(json_body)]
_IDS = body_schema(list_schema("product_ids", {"type": "string"}))


def products_api(catalog: Catalog) -> APIRouter:
    """Routes below /v1, but those of imports."""
    router = APIRouter(prefix="/v1")
    _add_reads(router, catalog)
    _add_lists(router, catalog)
    _add_writes(router, catalog)
    return router


def save_product(catalog: Catalog, product: Product) -> Json:
    """Creates or replaces one product; answers the counts and its state. InvalidArgument names the wrong fields."""
    violations = violations_of(product)
    if violations:
        raise InvalidArgument(violations)
    done = upsert_products(catalog.products, [(0, product)], catalog.clock())
    catalog.changed()
    return {**written_of(done.written, ()), "product": card_of(get_product(catalog.products, product.product_id))}


def _add_reads(router: APIRouter, catalog: Catalog) -> None:
    @router.post("/products:batchGet", tags=["products"], summary="Many products by id", openapi_extra=_IDS)
    def batch_get(body: Body) -> Json:
        found, unknown = batch_get_products(catalog.products, _ids(body))
        return {"products": [card_of(p) for p in found], "unknown_ids": list(unknown)}

    @router.get("/products/{product_id:path}", tags=["products"], summary="One product, hidden ones too")
    def get(product_id: ProductId) -> Json:
        return card_of(get_product(catalog.products, product_id))


def _add_lists(router: APIRouter, catalog: Catalog) -> None:
    @router.get("/products", tags=["products"], summary="Products by id, filtered, page by page")
    def list_page(
        filter: Annotated[str, Query(description='AIP-160, such as price < 50 AND category:"Kitchen"')] = "",
        page_size: Size = 0,
        page_token: str = "",
        include_hidden: bool = False,
    ) -> Json:
        listing = list_products(
            catalog.products,
            filter=filter,
            page_size=page_size,
            page_token=page_token,
            include_hidden=include_hidden,
            now=catalog.clock(),
        )
        return {"products": [card_of(p) for p in listing.products], "next_page_token": listing.next_page_token}

    @router.get("/search", tags=["products"], summary="Visible products by words, best first")
    def search(q: Annotated[str, Query(description="1 to 500 characters")], filter: str = "", limit: Size = 0) -> Json:
        hits = search_products(catalog.products, query=q, filter=filter, limit=limit, now=catalog.clock())
        return {"hits": [{"score": round(hit.score, 4), "product": card_of(hit.product)} for hit in hits]}

    @router.get("/categories", tags=["categories"], summary="Categories with counts of visible products")
    def categories(parent: Annotated[str, Query(description="Only this path and what is below it")] = "") -> Json:
        found = list_categories(catalog.products, parent, catalog.clock())
        return {"categories": [{"path": c.path, "product_count": c.product_count} for c in found]}

    @router.get("/changes", tags=["changes"], summary="The change feed after a revision")
    def changes(after_revision: Annotated[int, Query(le=MAX_REVISION)] = 0, page_size: Size = 0) -> Json:
        page = list_changes(catalog.products, after_revision, page_size)
        last = page.changes[-1].revision if page.changes else after_revision
        return {"changes": [change_of(c) for c in page.changes], "next_revision": last, "has_more": page.has_more}

    @router.get("/overview", tags=["changes"], summary="Counts and the latest changes")
    def at_a_glance() -> Json:
        seen = overview(catalog.products, catalog.clock())
        return {**counts_of(seen.counts, seen.categories), "latest_changes": [change_of(c) for c in seen.latest]}


def _add_writes(router: APIRouter, catalog: Catalog) -> None:
    @router.post(
        "/products",
        tags=["products"],
        summary="Create or replace 1 to 1,000 products; wrong ones are reported, the others stored",
        openapi_extra=body_schema(list_schema("products", CARD_SCHEMA)),
    )
    def upsert(body: Body) -> Json:
        candidates, unreadable = _read_cards(list_of(body, "products"))
        done = upsert_products(catalog.products, candidates, catalog.clock())
        catalog.changed()
        return written_of(done.written, [*unreadable, *done.rejected])

    @router.post("/products:delete", tags=["products"], summary="Delete 1 to 1,000 products", openapi_extra=_IDS)
    def delete_many(body: Body) -> Json:
        done = delete_products(catalog.products, _ids(body), catalog.clock())
        catalog.changed()
        return {"deleted": done.deleted, "unknown_ids": list(done.unknown_ids), "revision": done.revision}

    @router.put(
        "/products/{product_id:path}",
        tags=["products"],
        summary="Create or replace one product",
        openapi_extra=body_schema({**CARD_SCHEMA, "required": ["title"]}),
    )
    def put(product_id: ProductId, body: Body) -> Json:
        if isinstance(body, dict) and body.setdefault("product_id", product_id) != product_id:
            raise InvalidArgument.of("product_id", "must be the id of the path, or left out")
        return save_product(catalog, product_from_proto(product_from_card(body)))

    @router.delete("/products/{product_id:path}", tags=["products"], summary="Delete one product")
    def delete_one(product_id: ProductId) -> Json:
        done = delete_products(catalog.products, [product_id], catalog.clock())
        if not done.deleted:
            raise NotFound("product", product_id[:128])
        catalog.changed()
        return {"deleted": done.deleted, "revision": done.revision}


def _ids(body: object) -> list[str]:
    ids = list_of(body, "product_ids")
    wrong = [
        FieldViolation(f"product_ids[{i}]", "must be text") for i, value in enumerate(ids) if not isinstance(value, str)
    ]
    if wrong:
        raise InvalidArgument(wrong[:100])
    return [str(value) for value in ids]


def _read_cards(cards: list[object]) -> tuple[list[tuple[int, Product]], list[Rejection]]:
    if not 1 <= len(cards) <= MAX_BATCH:
        raise InvalidArgument.of("products", f"must be 1 to {MAX_BATCH:,}, not {len(cards):,}")
    products: list[tuple[int, Product]] = []
    rejected: list[Rejection] = []
    for index, card in enumerate(cards):
        try:
            products.append((index, product_from_proto(product_from_card(card))))
        except InvalidArgument as error:
            first = error.violations[0]
            named = card.get("product_id") if isinstance(card, dict) else None
            rejected.append(Rejection(index, named if isinstance(named, str) else "", first.field, first.description))
    return products, rejected
