"""Every row of the access table × every role, through the real guards."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from bench.ports import free_ports
from meshkit.health import Health
from meshkit.rpc.server import start_server
from meshkit.security.access import GRPC, PLANES
from meshkit.security.caller import METADATA_KEY, Caller, anonymous
from meshkit.security.gate import Gate
from meshkit.security.roles import ROLE_SCOPES, Role
from meshkit.security.row import OPEN, Row
from meshkit.security.rpc_guard import RpcGuard
from tests.support.gates import Keys, gate
from tests.support.routes import catalog_app, edge_app, profile_app

OK, UNAUTHENTICATED, DENIED = grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED


class Guarded:
    """Keys of every role, and a gate that trusts nobody without credentials."""

    def __init__(self) -> None:
        keys = Keys()
        self.keys = {role: keys.make(role) for role in Role}
        self.gate = gate(keys, visitor=Role.PUBLIC, trust_loopback=False)


@pytest.fixture(scope="module")
def guarded() -> Guarded:
    return Guarded()


class Everything(grpc.GenericRpcHandler):
    """Answers every method of the table, unary, with nothing."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        async def answer(request: bytes, _: object) -> bytes:
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
async def ask(guarded: Guarded) -> AsyncIterator[Callable[..., Awaitable[grpc.StatusCode]]]:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    server = await start_server(
        address,
        register=lambda s: s.add_generic_rpc_handlers((Everything(),)),
        services=[],
        health=Health([]),
        guard=RpcGuard(guarded.gate),
    )

    async def call(method: str, *metadata: tuple[str, str]) -> grpc.StatusCode:
        """OK if the call reached its servicer, whatever that made of an empty request."""
        rpc = channel.unary_stream(method)(b"", metadata=metadata, timeout=10)
        try:
            await rpc.read()
        except grpc.aio.AioRpcError as error:
            return error.code() if error.code() in (UNAUTHENTICATED, DENIED) else OK
        finally:
            rpc.cancel()
        return OK

    async with grpc.aio.insecure_channel(address) as channel:
        yield call
    await server.stop(0)


def expected(row: Row, role: Role | None) -> grpc.StatusCode:
    if row is OPEN:
        return OK
    if role is None:
        return UNAUTHENTICATED
    return OK if row in ROLE_SCOPES[role] else DENIED


@pytest.mark.parametrize("role", [None, *Role])
async def test_every_method_lets_in_exactly_its_roles(
    guarded: Guarded, ask: Callable[..., Awaitable[grpc.StatusCode]], role: Role | None
) -> None:
    credentials = [("authorization", f"Bearer {guarded.keys[role]}")] if role else []
    got = {method: await ask(method, *credentials) for method in GRPC}
    assert got == {method: expected(row, role) for method, row in GRPC.items()}


@pytest.mark.parametrize("role", list(Role))
async def test_the_originating_caller_is_checked_again_in_the_service(
    guarded: Guarded, ask: Callable[..., Awaitable[grpc.StatusCode]], role: Role
) -> None:
    """A service speaks for a caller: both need the scope. Nobody else may speak for another."""
    originator = Caller.of("key:somebody", role)
    sent = [("authorization", f"Bearer {guarded.keys[Role.SERVICE]}"), (METADATA_KEY, originator.wire)]
    both = ROLE_SCOPES[Role.SERVICE] & originator.scopes
    got = {method: await ask(method, *sent) for method in GRPC}
    assert got == {m: OK if row is OPEN or row in both else DENIED for m, row in GRPC.items()}
    forged = [("authorization", f"Bearer {guarded.keys[role]}"), (METADATA_KEY, Caller.of("key:x", Role.PUBLIC).wire)]
    method = "/recomesh.reco.v1.RecommendationService/Recommend"
    assert await ask(method, *forged) is (OK if role is Role.SERVICE else DENIED)


async def test_an_anonymous_originator_without_rights_is_unauthenticated(
    guarded: Guarded, ask: Callable[..., Awaitable[grpc.StatusCode]]
) -> None:
    sent = [("authorization", f"Bearer {guarded.keys[Role.SERVICE]}"), (METADATA_KEY, anonymous(Role.PUBLIC).wire)]
    assert await ask("/recomesh.reco.v1.RecommendationService/Recommend", *sent) is OK
    assert await ask("/recomesh.reco.v1.InteractionService/RecordInteractions", *sent) is UNAUTHENTICATED


async def test_bad_credentials_are_refused_even_where_none_are_needed_to_connect(
    guarded: Guarded, ask: Callable[..., Awaitable[grpc.StatusCode]]
) -> None:
    method = "/recomesh.catalog.v1.CatalogService/GetProduct"
    good = guarded.keys[Role.PUBLIC]
    assert await ask(method, ("x-api-key", good)) is OK
    long = "x" * 4_000  # gRPC itself refuses some metadata past 8 KiB and all past 16 KiB, before our code sees it
    for bad in (f"Bearer {good[:-1]}", f"Basic {good}", "Bearer", f"Bearer {long}", "Bearer a.b.c"):
        assert await ask(method, ("authorization", bad)) is UNAUTHENTICATED
    assert await ask(method, ("x-api-key", good), (METADATA_KEY, "nonsense")) is DENIED


@pytest.mark.parametrize("plane", ["edge", "catalog-admin", "profile-admin"])
async def test_every_route_lets_in_exactly_its_roles(guarded: Guarded, plane: str) -> None:
    wrong = []
    async with client_of(plane, guarded.gate) as client:
        for row, needed in PLANES[plane].items():
            method, _, route = row.partition(" ")
            if row == "POST /login":  # its 401 is about what the form said
                continue
            for role in (None, *Role):
                headers = {"authorization": f"Bearer {guarded.keys[role]}"} if role else {}
                answer = await client.request(method, example(route), headers=headers)
                held = ROLE_SCOPES[role] if role else guarded.gate.visitor.scopes if plane == "edge" else frozenset()
                refusal = 401 if role is None else 403
                allowed = needed is OPEN or needed in held
                if (answer.status_code in (401, 403)) is allowed or (not allowed and answer.status_code != refusal):
                    wrong.append((row, role, answer.status_code))
                assert "rk_" not in answer.text.replace("rk_…", "")
    assert wrong == []


async def test_nobody_without_a_key_gets_anything_when_keys_are_required(guarded: Guarded) -> None:
    keys = Keys()
    closed = gate(keys, visitor=None)
    async with client_of("edge", closed) as client:
        for row, needed in PLANES["edge"].items():
            method, _, route = row.partition(" ")
            answer = await client.request(method, example(route))
            assert (answer.status_code == 401) is (needed is not OPEN), row
        answer = await client.get("/v1/popular", headers={"x-api-key": keys.make(Role.PUBLIC)})
        assert answer.status_code == 503


def example(route: str) -> str:
    """A path of a route."""
    path = "".join("x" if part.endswith(("}", ">")) else part for part in _parts(route))
    return {"/static": "/static/admin.css"}.get(path, path)


def _parts(route: str) -> list[str]:
    return route.replace("{", "\0{").replace("}", "}\0").replace("<", "\0<").replace(">", ">\0").split("\0")


def client_of(plane: str, over: Gate) -> httpx.AsyncClient:
    apps: dict[str, Any] = {"edge": edge_app, "catalog-admin": catalog_app}
    if plane == "profile-admin":
        return _FlaskClient(profile_app(over))  # type: ignore[return-value]
    transport = httpx.ASGITransport(apps[plane](over), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://plane.test")


class _FlaskClient:
    def __init__(self, app: Any) -> None:
        self._client = app.test_client()

    async def __aenter__(self) -> "_FlaskClient":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def request(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        answer = self._client.open(path, method=method, headers=headers)
        return httpx.Response(answer.status_code, text=answer.text)
