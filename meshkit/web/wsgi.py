"""What happens around every request of a WSGI plane (Flask, Django): request context, one access line, metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from meshkit import context, metrics
from meshkit.web.asgi import QUIET_PATHS, security_headers

log = structlog.get_logger("access")
StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def with_request_context(app: WsgiApp) -> WsgiApp:
    """Binds the request, answers with `x-request-id` and security headers, writes one access line."""

    def wrapped(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request_id = context.bind(environ.get("HTTP_X_REQUEST_ID"), environ.get("HTTP_TRACEPARENT"))
        started = time.perf_counter()
        protective = security_headers(environ.get("wsgi.url_scheme", "http"))
        status = "500"

        def start(line: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status
            status = line.split(" ", 1)[0]
            present = {k.lower() for k, _ in headers}
            extra = [(k.decode(), v.decode()) for k, v in protective if k.decode() not in present]
            return start_response(line, [*headers, ("X-Request-Id", request_id), *extra], *rest)

        try:
            return app(environ, start)
        finally:
            took = time.perf_counter() - started
            metrics.HTTP_TOTAL.labels("admin", status).inc()
            path = environ.get("PATH_INFO")
            say = log.debug if path in QUIET_PATHS and status != "500" else log.info
            say(
                "request",
                method=environ.get("REQUEST_METHOD"),
                path=path,
                status=int(status),
                ms=round(took * 1000, 2),
                client=environ.get("REMOTE_ADDR", ""),
            )

    return wrapped
