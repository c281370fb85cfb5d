"""What happens around every request of an ASGI plane: request context, one access line, metrics, problems, body cap."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException

from meshkit import context, logs, metrics
from meshkit.errors import RecomeshError
from meshkit.web.problem import MEDIA_TYPE, problem, problem_body

log = structlog.get_logger()
QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})  # asked every second by machines
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-frame-options", b"DENY"),
)
_STAY_ON_HTTPS = (b"strict-transport-security", b"max-age=31536000")


def security_headers(scheme: str) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries; over https also that browsers shall stay with it."""
    return (*SECURITY_HEADERS, _STAY_ON_HTTPS) if scheme == "https" else SECURITY_HEADERS


class RequestContextMiddleware:
    """Binds the request, answers it with `x-request-id`, writes one access line, caps the body.

    `max_body_bytes` bounds what is read (413 beyond it). `deadline_s` is what each request may take in the mesh.
    Anything that escapes the application becomes a bare 500 problem.
    """

    def __init__(self, app: Any, *, max_body_bytes: int = 16 * 1024 * 1024, deadline_s: float | None = None) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k: v for k, v in scope["headers"] if k in (b"x-request-id", b"traceparent", b"content-length")}
        request_id = context.bind(
            headers.get(b"x-request-id", b"").decode("latin-1"),
            headers.get(b"traceparent", b"").decode("latin-1"),
            self._deadline_s,
        )
        started = time.perf_counter()
        protective = security_headers(scope.get("scheme", "http"))
        status = 500
        begun = False

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                if status >= 400 and all(name.lower() != b"cache-control" for name, _ in message["headers"]):
                    message["headers"] = [*message["headers"], (b"cache-control", b"no-store")]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *protective]
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and (len(length) > 18 or int(length) > self._max_body_bytes):
                raise _too_large(self._max_body_bytes)
            await self._app(scope, _capped(receive, self._max_body_bytes), answer)
        except HTTPException as error:  # the application answers those that are raised inside it
            if not begun:
                await send_problem(answer, error.status_code, http_problem(error), {})
        except Exception as error:
            if not isinstance(error, RecomeshError):
                log.error("request_failed", path=scope["path"], exc_info=True)
            if not begun:
                await send_problem(answer, *problem(error))
        finally:
            self._account(scope, request_id, status, time.perf_counter() - started)

    @staticmethod
    def _account(scope: Scope, request_id: str, status: int, took_s: float) -> None:
        metrics.http_answered(getattr(scope.get("route"), "path", "unmatched"), status, took_s)
        path = scope["path"]
        if path in QUIET_PATHS and status != 500:
            return
        client = scope.get("client") or ("", 0)
        caller = context.caller_subject()
        logs.access.line(request_id, scope["method"], path, status, took_s * 1000, client[0], caller)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body may have at most {limit} bytes")


def _capped(receive: Receive, limit: int) -> Receive:
    read = 0

    async def take() -> MutableMapping[str, Any]:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    return take


async def send_problem(send: Send, status: int, body: dict[str, Any], extra: dict[str, str]) -> None:
    """Sends what `problem` made of an error."""
    content = orjson.dumps(body)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(content)).encode())]
    headers += [(k.lower().encode(), v.encode()) for k, v in extra.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


_HTTP_REASONS = {
    404: "ROUTE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    415: "MEDIA_TYPE_NOT_SUPPORTED",
}


def http_problem(error: HTTPException) -> dict[str, Any]:
    """The body of the problem for what the framework itself refuses."""
    reason = _HTTP_REASONS.get(error.status_code, "HTTP_ERROR")
    return problem_body(error.status_code, reason, str(error.detail))
