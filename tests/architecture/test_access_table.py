"""The access table names exactly what is served: a new route or method without a row fails here."""

import pytest

from meshkit.security.access import GRPC, PLANES, route_row, rpc_row
from meshkit.security.roles import ROLE_SCOPES, Role, Scope
from meshkit.security.row import OPEN
from tests.support.gates import gate
from tests.support.routes import grpc_methods, http_routes

SERVED = http_routes(gate())
OPEN_TO_ALL = {
    "edge": {"/", "/docs", "/openapi.json", "/favicon.ico", "/shop/{name}", "/livez", "/readyz"},
    "edge-internal": {"/livez", "/readyz", "/metrics", "/status"},
    "workers": {"/livez", "/readyz", "/metrics", "/status"},
    "catalog-admin": {"/livez", "/readyz", "/metrics", "/static", "/login", "/logout"},
    "profile-admin": {"/livez", "/readyz", "/metrics", "/static/<path:filename>", "/login", "/logout"},
}


@pytest.mark.parametrize("plane", sorted(SERVED))
def test_every_route_has_a_row_and_every_row_a_route(plane: str) -> None:
    assert SERVED[plane] - set(PLANES[plane]) == set(), "add a row to meshkit/security/access_planes.py"
    assert set(PLANES[plane]) - SERVED[plane] == set(), "a row of something that is not served"


def test_every_grpc_method_has_a_row_and_every_row_a_method() -> None:
    assert set(grpc_methods()) - set(GRPC) == set(), "add a row to meshkit/security/access.py"
    assert set(GRPC) - set(grpc_methods()) == set(), "a row of something that is not served"


@pytest.mark.parametrize("plane", sorted(OPEN_TO_ALL))
def test_what_is_open_to_all_is_chosen_one_by_one(plane: str) -> None:
    assert {row.partition(" ")[2] for row, needed in PLANES[plane].items() if needed is OPEN} == OPEN_TO_ALL[plane]


def test_what_has_no_row_is_refused() -> None:
    assert rpc_row("/recomesh.catalog.v1.CatalogService/DropEverything") is None
    assert route_row("edge", "POST", "/v1/products") is None
    assert route_row("edge", "GET", "") is None


def test_roles_grow_as_documented() -> None:
    public, shop = ROLE_SCOPES[Role.PUBLIC], ROLE_SCOPES[Role.SHOP]
    assert public < shop < ROLE_SCOPES[Role.OPERATOR] == frozenset(Scope)
    assert public < ROLE_SCOPES[Role.MERCHANDISER]
    assert not any(scope.endswith((":write", ":import", ":erase", ":manage")) for scope in public)
    assert Scope.KEYS_MANAGE not in ROLE_SCOPES[Role.SERVICE]
