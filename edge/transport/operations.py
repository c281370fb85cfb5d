"""Routes for operators: alive, ready, how fresh."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from edge.transport import render
from edge.transport.documents import FreshnessOut, problems
from edge.transport.params import NoParams
from edge.transport.services import Services
from meshkit.health import Health


def freshness_route(services: Services) -> APIRouter:
    """GET /v1/freshness."""
    router = APIRouter(tags=["Operations"])

    @router.get(
        "/v1/freshness", operation_id="get_freshness", responses={200: {"model": FreshnessOut}, **problems(503)}
    )
    async def get_freshness(request: Request, _: Annotated[NoParams, Query()]) -> Response:
        """How old stock, prices, popularity, model and index are."""
        lines = [
            {
                "name": entry.name,
                "as_of": entry.as_of,
                "age_s": None if entry.as_of is None else entry.age_s,
                "note": entry.note,
            }
            for entry in await services.freshness()
        ]
        return render.read_response(request, render.json_bytes({"entries": lines}), cache="no-cache")

    return router


def health_routes(health: Health) -> APIRouter:
    """/livez and /readyz, the same on the public and the internal port."""
    router = APIRouter(tags=["Operations"])

    @router.get("/livez", operation_id="livez")
    async def livez() -> Response:
        """200 while the process answers at all."""
        return Response(b'{"status":"ok"}', media_type=render.JSON, headers={"cache-control": "no-store"})

    @router.get("/readyz", operation_id="readyz", responses={503: {"description": "Not ready: a part is in trouble."}})
    async def readyz() -> Response:
        """200 when every part is ready, 503 otherwise; the body names each part."""
        body = render.json_bytes({"ready": health.ready, "parts": health.report()})
        status = 200 if health.ready else 503
        return Response(body, status, media_type=render.JSON, headers={"cache-control": "no-store"})

    return router
