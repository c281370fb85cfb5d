"""The FastAPI application of the admin plane: login, errors, operations routes, documentation."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from catalog_svc.transport.admin.api import products_api
from catalog_svc.transport.admin.import_runner import ImportRunner
from catalog_svc.transport.admin.imports_api import imports_api
from catalog_svc.transport.admin.login import PLANE, Login, login_pages
from catalog_svc.transport.admin.pages import pages
from catalog_svc.transport.admin.rendering import HERE, page
from catalog_svc.transport.catalog import Catalog
from meshkit.errors import RecomeshError
from meshkit.health import Health
from meshkit.security.audit import Audit
from meshkit.web.asgi import Receive, RequestContextMiddleware, Scope, Send
from meshkit.web.audited import AuditMiddleware
from meshkit.web.fastapi_problems import install_problems
from meshkit.web.problem import problem

MAX_BODY_BYTES = 16 * 1024 * 1024
UPLOAD_PATHS = frozenset({"/v1/imports", "/imports"})
_DOCUMENTED = ("/v1/", "/livez", "/readyz", "/metrics")


def admin_app(catalog: Catalog, runner: ImportRunner, health: Health, login: Login) -> FastAPI:
    """The application, without the middleware of `admin_plane`."""
    app = FastAPI(
        title="Recomesh catalog",
        version="1",
        description="Products, categories, imports and the change feed of the shop. Login on a page, or an API key.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(login)],
    )
    install_problems(app)
    _show_people_pages(app)
    _add_operations(app, health)
    guarded = APIRouter()
    guarded.include_router(products_api(catalog))
    guarded.include_router(imports_api(runner))
    guarded.include_router(pages(catalog, runner))
    _add_documentation(app, guarded)
    app.include_router(guarded)
    app.include_router(login_pages(login.admin))
    # Bazel and some package managers lay files out as links
    app.mount("/static", StaticFiles(directory=HERE / "static", follow_symlink=True))
    return app


def admin_plane(app: FastAPI, audit: Audit, *, max_upload_bytes: int) -> Any:
    """The application with request context and body limits: uploads may be large, nothing else."""
    audited = AuditMiddleware(app, audit, PLANE)
    small = RequestContextMiddleware(audited, max_body_bytes=MAX_BODY_BYTES)
    large = RequestContextMiddleware(audited, max_body_bytes=max_upload_bytes)

    async def plane(scope: Scope, receive: Receive, send: Send) -> None:
        await (large if scope.get("path") in UPLOAD_PATHS else small)(scope, receive, send)

    return plane


def _add_operations(app: FastAPI, health: Health) -> None:
    @app.get("/livez", tags=["operations"], summary="The process runs; no login")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"], summary="What is ready and what is not; 503 when not; no login")
    async def readyz() -> JSONResponse:
        return JSONResponse(health.report(), 200 if health.ready else 503)

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics; no login", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_documentation(app: FastAPI, router: APIRouter) -> None:
    @router.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    @router.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        document = app.openapi()
        return page("docs.html", info=document["info"], operations=_operations(document))


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {})
            parameters = [
                {"name": p["name"], "where": p["in"], "required": p.get("required", False), "note": _note(p)}
                for p in operation.get("parameters", [])
            ]
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary", ""),
                    "tag": (operation.get("tags") or ["other"])[0],
                    "parameters": parameters,
                    "bodies": list(body),
                }
            )
    return sorted(found, key=lambda o: (o["tag"], o["path"], o["method"]))


def _note(parameter: dict[str, Any]) -> str:
    schema = parameter.get("schema", {})
    default = f"default {schema['default']!r}" if schema.get("default") not in (None, "") else ""
    return "; ".join(t for t in (schema.get("type", ""), default, parameter.get("description", "")) if t)


def _show_people_pages(app: FastAPI) -> None:
    """Answers browsers outside the API with a page instead of a problem document."""
    handlers = dict(app.exception_handlers)

    async def shown(request: Request, error: Exception) -> Response:
        handler: Any = handlers[next(c for c in type(error).__mro__ if c in handlers)]
        answer: Response = await handler(request, error)
        wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_DOCUMENTED)
        if not wants_page:
            return answer
        if isinstance(error, RecomeshError):
            _, body, _ = problem(error)
            title, detail = body["title"], body["detail"]
        else:
            title, detail = "That did not work", getattr(error, "detail", "") or "a field of the request is wrong"
        made = page("error.html", answer.status_code, title=title, detail=detail)
        made.headers.update(
            {k: v for k, v in answer.headers.items() if k in ("www-authenticate", "retry-after", "location")}
        )
        return made

    for kind in (RecomeshError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, shown)
