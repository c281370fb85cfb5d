"""Changes made by gRPC directly leave an audit entry too, as those made through the admin planes do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from meshkit.security.access import GRPC
from meshkit.security.roles import Scope

_ADMINISTERING = frozenset({Scope.PRODUCTS_WRITE, Scope.MODELS_WRITE, Scope.EVENTS_IMPORT})
CHANGES: Final = frozenset(method for method, row in GRPC.items() if row in _ADMINISTERING)
SHOWN_IDS = 5


def action_of(method: str) -> str:
    """ "catalog-grpc.UpsertProducts" for "/recomesh.catalog.v1.CatalogService/UpsertProducts"."""
    service, _, name = method.rpartition("/")
    return f"{service.split('.')[1]}-grpc.{name}"


def subject_of(request: Any) -> str:
    """What a call changes: the first ids in its request and how many there are; "a stream" if it has several."""
    if hasattr(request, "__aiter__"):
        return "a stream"
    if ids := [*getattr(request, "product_ids", ()), *(p.product_id for p in getattr(request, "products", ()))]:
        return _listed("products", ids)
    version = getattr(request, "version", "")
    return f"model {version}" if version else type(request).__name__


def _listed(kind: str, ids: Sequence[str]) -> str:
    shown = ", ".join(id[:40] for id in ids[:SHOWN_IDS])
    return f"{len(ids)} {kind}: {shown}" + (", …" if len(ids) > SHOWN_IDS else "")
