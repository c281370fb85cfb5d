"""The public application: routes, OpenAPI document, problems, and what happens around every request."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from edge.transport.bodies import EventsIn, PageIn, ProfileIn, RecommendationsIn
from edge.transport.catalog import list_routes, product_route
from edge.transport.direct_routes import DirectRoutesMiddleware
from edge.transport.documents import ProblemOut
from edge.transport.hot_answers import HotAnswersMiddleware
from edge.transport.limits import AuthLimitMiddleware, RateLimitMiddleware
from edge.transport.operations import freshness_route, health_routes
from edge.transport.page import page_routes
from edge.transport.recommending import general_answer, recommending_routes
from edge.transport.render import JSON, json_bytes
from edge.transport.services import Services
from edge.transport.shop.pages import shop_routes
from edge.transport.visitors import event_routes, events_answer, profile_routes
from meshkit.resilience.admission import Admission, Priority
from meshkit.security.gate import Gate
from meshkit.web.asgi import RequestContextMiddleware
from meshkit.web.fastapi_problems import install_problems
from meshkit.web.guard import CallerMiddleware, RouteGuard
from meshkit.web.shedding import SheddingMiddleware

VERSION = "1"
_ABOUT = """Product recommendations for shoppers who have not logged in.

Errors are `application/problem+json` (RFC 9457). Reads carry an `ETag`; writes take an `Idempotency-Key`. Filters are
AIP-160 expressions over product fields: `price < 50 AND category:"Kitchen" AND NOT brand = "Acme"`."""
_UNREFERENCED: list[type[BaseModel]] = [RecommendationsIn, PageIn, EventsIn, ProfileIn, ProblemOut]


def create_app(
    services: Services, gate: Gate, admission: Admission, *, max_body_bytes: int, deadline_s: float
) -> SheddingMiddleware:
    """The ASGI application of the public port; `admission` refuses what there is no room for, first of all."""
    app = FastAPI(
        title="Recomesh",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(RouteGuard("edge"))],
    )
    install_problems(app)
    app.include_router(recommending_routes(services))
    app.include_router(page_routes(services))
    app.include_router(list_routes(services))
    app.include_router(product_route(services))
    app.include_router(event_routes(services))
    app.include_router(profile_routes(services))
    app.include_router(freshness_route(services))
    app.include_router(health_routes(services.health))
    app.include_router(shop_routes(services))
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> Response:
        return Response(json_bytes(app.openapi()), media_type=JSON)

    direct = DirectRoutesMiddleware(
        app,
        {("POST", "/v1/recommendations"): general_answer(services), ("POST", "/v1/events"): events_answer(services)},
    )
    limited = RateLimitMiddleware(HotAnswersMiddleware(direct, services.hot), services.limits)
    known = AuthLimitMiddleware(CallerMiddleware(limited, gate), services.limits)
    whole = RequestContextMiddleware(known, max_body_bytes=max_body_bytes, deadline_s=deadline_s)
    return SheddingMiddleware(whole, admission, _priority)


def _priority(path: str) -> Priority:
    """What shoppers wait for first; the pages for developers last."""
    return Priority.ADMIN if path in ("/docs", "/openapi.json") else Priority.SHOPPER


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the models that routes read by themselves; made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
        models = [(model, "validation") for model in _UNREFERENCED]
        _, extra = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in extra["$defs"].items():
            schemas.setdefault(name, schema)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # wrong requests get a 400 problem
        app.openapi_schema = document
    return app.openapi_schema
