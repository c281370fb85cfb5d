"""The one access table: every gRPC method and every HTTP route of every plane, and the scope it asks for.

What has no row is refused. A test holds the table against the routes that the processes really serve, both ways.
OPEN is for what must answer without credentials: probes, metrics on internal ports, the static demo shop, login pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from meshkit.security.access_planes import CATALOG_ADMIN, EDGE, EDGE_INTERNAL, PROFILE_ADMIN, RECO_ADMIN, WORKERS
from meshkit.security.roles import Scope
from meshkit.security.row import OPEN, Row

_CATALOG = "/recomesh.catalog.v1.CatalogService/"
_PROFILE = "/recomesh.profile.v1.ProfileService/"
_ASK = "/recomesh.reco.v1.RecommendationService/"
_TELL = "/recomesh.reco.v1.InteractionService/"
_MODELS = "/recomesh.reco.v1.ModelService/"

GRPC: Final[Mapping[str, Row]] = MappingProxyType(
    {
        _CATALOG + "GetProduct": Scope.PRODUCTS_READ,
        _CATALOG + "BatchGetProducts": Scope.PRODUCTS_READ,
        _CATALOG + "ListProducts": Scope.PRODUCTS_READ,
        _CATALOG + "SearchProducts": Scope.PRODUCTS_READ,
        _CATALOG + "ListCategories": Scope.PRODUCTS_READ,
        _CATALOG + "UpsertProducts": Scope.PRODUCTS_WRITE,
        _CATALOG + "DeleteProducts": Scope.PRODUCTS_WRITE,
        _CATALOG + "ImportProducts": Scope.PRODUCTS_WRITE,
        _CATALOG + "ListChanges": Scope.CHANGES_READ,
        _PROFILE + "GetPreferences": Scope.PROFILES_READ,
        _PROFILE + "UpdatePreferences": Scope.PROFILES_WRITE,
        _PROFILE + "EraseProfile": Scope.VISITORS_ERASE,
        _PROFILE + "ListSegments": Scope.SEGMENTS_READ,
        _PROFILE + "ListPreferenceChanges": Scope.CHANGES_READ,
        _ASK + "Recommend": Scope.RECOMMENDATIONS_READ,
        _ASK + "BatchRecommend": Scope.RECOMMENDATIONS_READ,
        _ASK + "ExplainRecommendation": Scope.RECOMMENDATIONS_READ,
        _ASK + "ReplayRecommendation": Scope.RECOMMENDATIONS_READ,
        _ASK + "GetFreshness": Scope.FRESHNESS_READ,
        _TELL + "RecordInteractions": Scope.EVENTS_WRITE,
        _TELL + "ImportInteractions": Scope.EVENTS_IMPORT,
        _TELL + "EraseVisitor": Scope.VISITORS_ERASE,
        _MODELS + "ListModels": Scope.MODELS_READ,
        _MODELS + "GetModel": Scope.MODELS_READ,
        _MODELS + "GetTrainingRun": Scope.MODELS_READ,
        _MODELS + "TrainModel": Scope.MODELS_WRITE,
        _MODELS + "ActivateModel": Scope.MODELS_WRITE,
        "/grpc.health.v1.Health/Check": OPEN,
        "/grpc.health.v1.Health/Watch": OPEN,
        "/grpc.health.v1.Health/List": OPEN,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetTopChannels": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetServers": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetServer": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetServerSockets": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetChannel": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetSubchannel": Scope.MESH_INSPECT,
        "/grpc.channelz.v1.Channelz/GetSocket": Scope.MESH_INSPECT,
    }
)

PLANES: Final[Mapping[str, Mapping[str, Row]]] = MappingProxyType(
    {
        "edge": EDGE,
        "edge-internal": EDGE_INTERNAL,
        "catalog-admin": CATALOG_ADMIN,
        "reco-admin": RECO_ADMIN,
        "profile-admin": PROFILE_ADMIN,
        "workers": WORKERS,
    }
)


def rpc_row(method: str) -> Row | None:
    """The row of "/package.Service/Method"; None: refuse."""
    return GRPC.get(method)


def require_open(plane: str, routes: Iterable[str]) -> None:
    """For a plane without a guard: ValueError unless each of its routes may be read without credentials."""
    closed = [route for route in routes if route_row(plane, "GET", route) is not OPEN]
    if closed:
        raise ValueError(f"{plane}: {', '.join(closed)} are not open in the access table, and this plane has no guard")


def route_row(plane: str, method: str, route: str) -> Row | None:
    """The row of an HTTP route as its framework writes it ("/v1/products/{product_id}"); None: refuse.

    HEAD is GET without a body; OPTIONS answers no data.
    """
    return PLANES[plane].get(f"{'GET' if method in ('HEAD', 'OPTIONS') else method} {route}")
