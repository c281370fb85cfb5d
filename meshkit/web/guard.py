"""The guard of HTTP planes: who calls is found first, what they may do by the route that the framework matched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request

from meshkit import context
from meshkit.errors import PermissionDenied, RecomeshError, Unauthenticated
from meshkit.security.access import route_row
from meshkit.security.caller import Caller
from meshkit.security.gate import Gate, bearer
from meshkit.security.row import OPEN, Row
from meshkit.security.rpc_guard import denied

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
CALLER, ROW = "recomesh.caller", "recomesh.row"


class CallerMiddleware:
    """Finds the caller of each request from `Authorization: Bearer` or `X-API-Key`.

    A bad credential is refused (401) even where none is needed: a shop should hear that its key ended. Keys, and tokens
    seen a moment ago, are verified from memory.
    """

    def __init__(self, app: Any, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            caller = await self._caller(scope)
            scope[CALLER] = caller
            context.act_for(caller)
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        credential = credential_of(scope["headers"])
        if not credential:
            return self._gate.visitor
        try:
            caller = self._gate.known(credential) or await self._gate.caller_of(credential)
        except Unauthenticated as error:
            denied("edge", scope["path"], None, error)
            raise
        return caller


class RouteGuard:
    """A dependency of a whole application: the matched route must have a row, and the caller its scope."""

    def __init__(self, plane: str) -> None:
        self._plane = plane

    async def __call__(self, request: Request) -> None:
        """Unauthenticated, PermissionDenied."""
        check(self._plane, request.scope, request.scope[CALLER])


def check(plane: str, scope: Scope, caller: Caller) -> None:
    """Holds a routed request against the table. Unauthenticated, PermissionDenied."""
    scope[ROW] = check_route(plane, scope["method"], _route(scope), caller)


def check_route(plane: str, method: str, route: str, caller: Caller) -> Row:
    """The row of a route that the caller may use. Unauthenticated, PermissionDenied."""
    row = route_row(plane, method, route)
    try:
        if row is None:
            raise PermissionDenied(f"{method} {route} is not in the access table", reason="NOT_IN_ACCESS_TABLE")
        if row is not OPEN:
            caller.require(row)
    except RecomeshError as error:
        denied(plane, f"{method} {route}", caller, error)
        raise
    return row


def row_of(plane: str, scope: Scope) -> Row | None:
    """The row of the route that the framework matched."""
    return route_row(plane, scope["method"], _route(scope))


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "")


def may(caller: Caller, row: Row | None) -> bool:
    """True if a kept answer of a route with this row may be given to the caller."""
    return row is OPEN or (row is not None and row in caller.scopes)


def credential_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The key or token in the headers of a request, "" without one. Unauthenticated for another scheme than Bearer."""
    for name, value in headers:
        if name == b"x-api-key":
            return value.decode("latin-1").strip()
        if name == b"authorization":
            return bearer(value.decode("latin-1"))
    return ""
