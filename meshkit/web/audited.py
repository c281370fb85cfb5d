"""Every change made through an admin plane leaves an entry in the audit trail: who, what, how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from meshkit.process import blocking
from meshkit.security.audit import Audit
from meshkit.security.caller import Caller
from meshkit.web.guard import CALLER

READS = frozenset({"GET", "HEAD", "OPTIONS"})
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def record_change(audit: Audit, plane: str, caller: Caller | None, method: str, path: str, status: int) -> None:
    """One entry. Blocking. Paths hold ids of products and rules, never credentials or what a form said."""
    outcome = "done" if status < 400 else "refused" if status in (401, 403) else "failed"
    actor = caller.subject if caller else "unknown"
    audit.record(actor, f"{plane}.{method.lower()}", path, outcome=outcome, detail=f"status={status}")


class AuditMiddleware:
    """For ASGI planes; stands outside of the application that finds the caller."""

    def __init__(self, app: Any, audit: Audit, plane: str) -> None:
        self._app = app
        self._audit = audit
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] in READS:
            await self._app(scope, receive, send)
            return
        status = 500

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            caller = scope.get(CALLER)
            await blocking(record_change, self._audit, self._plane, caller, scope["method"], scope["path"], status)
