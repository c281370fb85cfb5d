"""Which limit a request counts against."""

from __future__ import annotations

from enum import StrEnum

from meshkit.web.asgi import QUIET_PATHS


class RouteClass(StrEnum):
    """`events` counts events, the others requests."""

    READ = "read"
    RECOMMEND = "recommend"
    EVENTS = "events"
    WRITE = "write"


_RECOMMENDING = frozenset({"/v1/popular", "/v1/trending", "/v1/new", "/v1/recommendations", "/v1/pages"})
_ITEM_TO_ITEM = ("/similar", "/bought-together", "/viewed-together")


def class_of(method: str, path: str) -> RouteClass | None:
    """The class of a request, of one for a route that does not exist too; None for probes, which are never limited."""
    if path in _RECOMMENDING or (path.endswith(_ITEM_TO_ITEM) and path.startswith("/v1/products/")):
        return RouteClass.RECOMMEND
    if path == "/v1/events":
        return RouteClass.EVENTS
    if method in ("GET", "HEAD", "OPTIONS"):
        return None if path in QUIET_PATHS else RouteClass.READ
    return RouteClass.WRITE
