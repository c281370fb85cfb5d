"""Serving the demo shop and the page that shows the OpenAPI document. No template, no build, nothing from outside."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from edge.transport import render
from edge.transport.bounds import Id
from edge.transport.services import Services
from edge.transport.shop.images import drawing

STATIC = FilePath(__file__).parent / "static"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # a drawing opened by itself runs nothing
IMAGE_CACHE = "public, max-age=86400"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def shop_routes(services: Services) -> APIRouter:
    """`/`, `/docs`, `/shop/…`."""
    router = APIRouter(include_in_schema=False)
    files = {file.name: file.read_bytes() for file in STATIC.iterdir() if file.suffix in _MEDIA_TYPES}

    def answer(request: Request, name: str) -> Response:
        suffix = name[name.rfind(".") :]
        return render.read_response(
            request,
            files[name],
            cache="no-cache",
            media_type=_MEDIA_TYPES[suffix],
            extra={"content-security-policy": PAGE_POLICY},
        )

    @router.get("/")
    async def shop(request: Request) -> Response:
        return answer(request, "shop.html")

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        return answer(request, "docs.html")

    @router.get("/favicon.ico")
    async def favicon(request: Request) -> Response:
        return answer(request, "favicon.svg")

    @router.get("/shop/images/{product_id:path}.svg")
    async def image(request: Request, product_id: Annotated[Id, Path()]) -> Response:
        card, _ = await services.products.product(product_id)
        fields = card.fields()
        categories = fields.get("categories")
        category = str(categories[0]) if isinstance(categories, list) and categories else ""
        svg = drawing(product_id, str(fields.get("title", "")), category)
        extra = {"content-security-policy": IMAGE_POLICY}
        return render.read_response(request, svg.encode(), cache=IMAGE_CACHE, media_type="image/svg+xml", extra=extra)

    @router.get("/shop/{name}")
    async def file(request: Request, name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "Not Found")
        return answer(request, name)

    return router
