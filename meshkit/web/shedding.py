"""Refusing requests of an HTTP plane under overload, before anything is spent on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshkit.errors import Overloaded
from meshkit.resilience.admission import Admission, Priority
from meshkit.web.asgi import QUIET_PATHS, Receive, Scope, Send, send_problem
from meshkit.web.problem import problem

ADMITTED = "recomesh.admitted"  # in a scope: it has its place already


class SheddingMiddleware:
    """ASGI, outermost: 503 with `Retry-After` for what `admission` has no room for; health and metrics always pass."""

    def __init__(self, app: Any, admission: Admission, priority_of: Callable[[str], Priority]) -> None:
        self._app = app
        self._admission = admission
        self._priority_of = priority_of

    @property
    def full(self) -> bool:
        """True if there is no room even for what is most urgent."""
        return self._admission.full

    def enter(self, path: str) -> bool:
        """Takes a place for a request: mark its scope ADMITTED, and it is given back. False, and counted, if there is
        none."""
        return self._admission.enter(self._priority_of(path))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] in QUIET_PATHS:
            await self._app(scope, receive, send)
            return
        if not (scope.pop(ADMITTED, False) or self.enter(scope["path"])):
            await send_problem(send, *problem(Overloaded()))
            return
        try:
            await self._app(scope, receive, send)
        except Overloaded as error:
            await send_problem(send, *problem(error))
        finally:
            self._admission.leave()
