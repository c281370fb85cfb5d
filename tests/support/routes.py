"""What the processes really serve: every HTTP route of every plane, every gRPC method."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from catalog_svc.transport.admin.app import admin_app as catalog_admin_app
from catalog_svc.transport.admin.login import Login
from edge.transport.api import create_app
from edge.transport.hot_answers import HotAnswers
from edge.transport.internal import create_internal_app
from edge.transport.limits import LimitRules, Limits
from meshkit.errors import Unavailable
from meshkit.health import Health
from meshkit.limiting.gcra import MemoryLimiter
from meshkit.resilience.admission import Admission
from meshkit.security.gate import Gate
from meshkit.web.admin_login import AdminLogin
from meshkit.web.client_address import Networks
from profile_svc.transport.admin.app import admin_app as profile_admin_app
from queue_workers.transport.internal import internal_app

GRPC_FILES = (
    "recomesh.catalog.v1.catalog_service_pb2",
    "recomesh.profile.v1.profile_service_pb2",
    "recomesh.reco.v1.reco_service_pb2",
    "grpc_health.v1.health_pb2",
    "grpc_reflection.v1alpha.reflection_pb2",
    "grpc_channelz.v1.channelz_pb2",
)


class Away:
    """Stands in for use cases: whatever is called is away."""

    def __getattr__(self, name: str) -> "Away":
        return Away()

    def __call__(self, *_: object, **__: object) -> object:
        raise Unavailable("test")


class _AwayBehindTheEdge(Away):
    hot = HotAnswers(lambda _: None, lambda: 0)
    health = Health([])
    limits = Limits(MemoryLimiter(), LimitRules({}, 0, 0, 0, 1, Networks(""), Networks("")))
    write_timeout_s = 1.0


def edge_app(gate: Gate) -> Any:
    """The public plane over use cases that are away."""
    return create_app(_AwayBehindTheEdge(), gate, Admission(), max_body_bytes=1_000_000, deadline_s=5)  # type: ignore[arg-type]


def edge_internal_app(gate: Gate) -> Any:
    """The internal plane of the edge."""
    return create_internal_app(Health([]), gate, dict)


def catalog_app(gate: Gate) -> Any:
    """The catalog's admin plane over use cases that are away."""
    return catalog_admin_app(Away(), Away(), Health([]), Login(AdminLogin(gate, "admin", "secret")))  # type: ignore[arg-type]


def profile_app(gate: Gate) -> Any:
    """The profiles' admin plane (Flask) over use cases that are away."""
    return profile_admin_app(Away(), AdminLogin(gate, "admin", "secret"), Health([]))  # type: ignore[arg-type]


def http_routes(gate: Gate) -> dict[str, set[str]]:
    """Plane → "METHOD /route"; Django's plane is looked at in tests/integration/reco_svc."""
    workers = internal_app(Health([]), Away(), [], str)  # type: ignore[arg-type]
    return {
        "edge": set(_fastapi(_innermost(edge_app(gate)).routes)),
        "edge-internal": set(_fastapi(_innermost(edge_internal_app(gate)).routes)),
        "catalog-admin": set(_fastapi(catalog_app(gate).routes)),
        "profile-admin": set(_flask(profile_app(gate))),
        "workers": set(_fastapi(workers.routes)),
    }


def grpc_methods() -> dict[str, bool]:
    """Every method that a server of the mesh registers → whether it streams."""
    found = {}
    for name in GRPC_FILES:
        for service in import_module(name).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                streams = method.client_streaming or method.server_streaming
                found[f"/{service.full_name}/{method.name}"] = streams
    return found


def _innermost(app: Any) -> Any:
    while not hasattr(app, "routes"):
        app = app._app
    return app


def _fastapi(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from _fastapi(route.effective_candidates())
            continue
        methods = getattr(route, "methods", None) or {"GET"}  # a mount of files has none
        yield from (f"{method} {route.path}" for method in methods if method != "HEAD")


def _flask(app: Any) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        yield from (f"{method} {rule.rule}" for method in rule.methods if method not in ("HEAD", "OPTIONS"))
