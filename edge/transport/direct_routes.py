"""The two calls a shop sends for every page, taken before the web framework looks at them.

FastAPI's routing, dependencies and argument models cost about as much as the answer itself. The framework still has
these routes, for its OpenAPI document; both ways end in the same handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi import Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from meshkit.web.guard import CALLER, check

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class DirectRoute:
    """What metrics read of a route."""

    path: str


class _DirectRequest(Request):
    """Reads its body as it comes, mostly at once; starlette's way leads through two generators, which take longer."""

    async def body(self) -> bytes:
        """See starlette."""
        if not hasattr(self, "_body"):
            message = await self.receive()
            parts = [_part(message)]
            while message.get("more_body", False):
                message = await self.receive()
                parts.append(_part(message))
            self._body = parts[0] if len(parts) == 1 else b"".join(parts)
        return self._body


def _part(message: Mapping[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    part: bytes = message.get("body", b"")
    return part


class DirectRoutesMiddleware:
    """Answers exact (method, path) pairs by their handlers; everything else goes on to the application.

    The same access table holds. What a handler raises is answered by whoever answers problems outside the framework.
    """

    def __init__(self, app: Any, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._app = app
        self._direct = {pair: (handler, DirectRoute(pair[1])) for pair, handler in handlers.items()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        found = self._direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        handler, scope["route"] = found
        check("edge", scope, scope[CALLER])
        response = await handler(_DirectRequest(scope, receive))
        await response(scope, receive, send)
