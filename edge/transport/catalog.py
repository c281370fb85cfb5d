"""Routes that read the catalog: one product, lists, categories, search."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from edge.transport import render
from edge.transport.bounds import Id
from edge.transport.documents import CategoriesOut, ProductOut, ProductsOut, problems
from edge.transport.examples import PRODUCT_ID
from edge.transport.params import CategoriesParams, NoParams, ProductsParams, SearchParams
from edge.transport.services import Services


def list_routes(services: Services) -> APIRouter:
    """Lists, categories and search."""
    router = APIRouter(tags=["Products"])

    @router.get(
        "/v1/products", operation_id="list_products", responses={200: {"model": ProductsOut}, **problems(400, 503)}
    )
    async def list_products(request: Request, params: Annotated[ProductsParams, Query()]) -> Response:
        """Visible products by product_id, with a filter. Follow `next_page_token` until it is empty."""
        page = await services.products.page(params.filter, params.page_size, params.page_token)
        return render.read_response(request, render.products_json(page.cards, page.next_page_token))

    @router.get(
        "/v1/categories",
        operation_id="list_categories",
        responses={200: {"model": CategoriesOut}, **problems(400, 503)},
    )
    async def list_categories(request: Request, params: Annotated[CategoriesParams, Query()]) -> Response:
        """Every category path with its number of visible products, by path."""
        categories, degraded = await services.products.categories(params.parent)
        lines = [{"path": category.path, "product_count": category.product_count} for category in categories]
        return render.read_response(request, render.json_bytes({"categories": lines}), degraded=degraded)

    @router.get("/v1/search", operation_id="search", responses={200: {"model": ProductsOut}, **problems(400, 503)})
    async def search(request: Request, params: Annotated[SearchParams, Query()]) -> Response:
        """Products by words and by meaning, best first; `next_page_token` is always empty."""
        sold_out_too = "out_of_stock" in params.include
        query = params.q.strip()
        cards, degraded = await services.search(query, params.filter, params.limit, sold_out_too=sold_out_too)
        return render.read_response(request, render.products_json(cards), degraded=degraded)

    return router


def product_route(services: Services) -> APIRouter:
    """One product. Its path takes any id, one with a slash too, so it must come after every other product route."""
    router = APIRouter(tags=["Products"])

    @router.get(
        "/v1/products/{product_id:path}",
        operation_id="get_product",
        responses={200: {"model": ProductOut}, **problems(400, 404, 503)},
    )
    async def get_product(
        request: Request, product_id: Annotated[Id, Path(examples=[PRODUCT_ID])], _: Annotated[NoParams, Query()]
    ) -> Response:
        """One product card. Hidden and expired products are not found."""
        card, degraded = await services.products.product(product_id)
        if not degraded:
            services.hot.keep(request.scope, card.body, [card], epoch=None)
        return render.read_response(request, card.body, degraded=degraded)

    return router
