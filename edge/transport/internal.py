"""The internal plane of the edge: metrics, health, status. Never on the public port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from edge.transport import render
from edge.transport.operations import health_routes
from meshkit.health import Health
from meshkit.security.gate import Gate
from meshkit.web.asgi import RequestContextMiddleware
from meshkit.web.fastapi_problems import install_problems
from meshkit.web.guard import CallerMiddleware, RouteGuard


def create_internal_app(health: Health, gate: Gate, status: Callable[[], Mapping[str, object]]) -> Any:
    """The ASGI application; `status` gives facts for people (cache sizes, feed position)."""
    app = FastAPI(
        title="Recomesh edge, internal",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(RouteGuard("edge-internal"))],
    )
    install_problems(app)
    app.include_router(health_routes(health))

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/status")
    async def show_status() -> Response:
        return Response(render.json_bytes({"parts": health.report(), **status()}), media_type=render.JSON)

    return RequestContextMiddleware(CallerMiddleware(app, gate))
