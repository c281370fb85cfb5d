"""Mutual TLS between processes: who gets in, as whom, and new certificates without a restart."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest
from recomesh.profile.v1 import profile_service_pb2 as pb
from recomesh.profile.v1 import profile_service_pb2_grpc as pb_grpc

from bench.ports import free_ports
from meshkit import context
from meshkit.errors import PermissionDenied, SettingsInvalid, Unavailable
from meshkit.health import Health
from meshkit.rpc import renewing_channel
from meshkit.rpc.client import call, open_channel, open_sync_channel
from meshkit.rpc.identity import Identity, mesh_identity
from meshkit.rpc.server import start_server
from meshkit.security.authority import Authority
from meshkit.security.caller import Caller
from meshkit.security.gate import Gate
from meshkit.security.open_gate import serving_tls
from meshkit.security.roles import Role
from meshkit.security.rpc_guard import RpcGuard
from meshkit.security.tls import TlsFiles
from meshkit.security.token_source import TokenSource
from meshkit.settings import ROOT, MeshSettings
from meshkit.web.planes import serve_asgi, serve_wsgi
from tests.support.gates import gate
from tests.support.token_issuer import TokenIssuer

CONFIG = ROOT / "proto/service_config.json"
ASK = pb.GetPreferencesRequest(visitor_id="v")


class Profiles(pb_grpc.ProfileServiceServicer):
    """Remembers for whom it was called."""

    def __init__(self) -> None:
        self.callers: list[str] = []

    async def GetPreferences(self, request, call):
        caller = context.caller()
        self.callers.append(caller.subject if caller else "the peer itself")
        return pb.GetPreferencesResponse()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certs")
    authority = Authority(made)
    authority.create()
    for name in ("edge", "profile"):
        authority.issue(name, Role.SERVICE)
    authority.issue("operator", Role.OPERATOR)
    authority.issue("shop", Role.PUBLIC)
    return made


def files(folder: Path, name: str) -> TlsFiles:
    return TlsFiles(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}_key.pem")


@asynccontextmanager
async def profiles(folder: Path, over: Gate | None = None) -> AsyncIterator[tuple[str, Profiles]]:
    servicer, address = Profiles(), f"127.0.0.1:{free_ports(1)[0]}"
    server = await start_server(
        address,
        register=lambda s: pb_grpc.add_ProfileServiceServicer_to_server(servicer, s),
        services=[],
        health=Health([]),
        guard=RpcGuard(over or gate(trust_loopback=False)),
        tls=files(folder, "profile"),
    )
    try:
        yield address, servicer
    finally:
        await server.stop(0)


async def get(address: str, identity: Identity, *, as_caller: Caller | None = None) -> None:
    context.act_for(as_caller)
    async with open_channel(address, CONFIG, identity) as channel:
        await call(pb_grpc.ProfileServiceStub(channel).GetPreferences, ASK, part="profile", timeout_s=5)
    context.act_for(None)


async def test_the_role_of_a_peer_stands_in_its_certificate(folder: Path) -> None:
    async with profiles(folder) as (address, servicer):
        await get(address, Identity(files(folder, "edge")))
        await get(address, Identity(files(folder, "edge")), as_caller=Caller.of("key:shop", Role.SHOP))
        await get(address, Identity(files(folder, "operator")))
        with pytest.raises(PermissionDenied, match="cert:shop lacks"):
            await get(address, Identity(files(folder, "shop")))
        with pytest.raises(PermissionDenied, match="may not send"):
            await get(address, Identity(files(folder, "operator")), as_caller=Caller.of("key:shop", Role.SHOP))
        assert servicer.callers == ["the peer itself", "key:shop", "cert:operator"]


async def test_a_peer_without_a_certificate_of_the_mesh_never_gets_through(folder: Path, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    stranger.create()
    stranger.issue("edge", Role.SERVICE)
    wrong = TlsFiles(folder / "ca.pem", tmp_path / "edge.pem", tmp_path / "edge_key.pem")
    async with profiles(folder) as (address, servicer):
        with pytest.raises(Unavailable):
            await get(address, Identity())
        with pytest.raises(Unavailable):
            await get(address, Identity(wrong))
        with pytest.raises(Unavailable):  # the client does not trust the server either
            await get(address, Identity(files(tmp_path, "edge")))
        async with grpc.aio.secure_channel(
            address, grpc.ssl_channel_credentials((folder / "ca.pem").read_bytes())
        ) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await pb_grpc.ProfileServiceStub(channel).GetPreferences(ASK, timeout=5)
        assert servicer.callers == []


async def test_new_certificates_are_used_by_servers_and_channels_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing_channel, "LOOK_EVERY_S", 0.0)
    authority = Authority(tmp_path)
    authority.create()
    serials = [authority.issue(name, Role.SERVICE).serial for name in ("edge", "profile")]
    async with profiles(tmp_path) as (address, servicer):
        async with open_channel(address, CONFIG, Identity(files(tmp_path, "edge"))) as channel:
            ask = pb_grpc.ProfileServiceStub(channel).GetPreferences
            await call(ask, ASK, part="profile", timeout_s=5)
            first = channel.current()  # type: ignore[attr-defined]
            assert await served_serial(address, tmp_path) == serials[1]
            authority.issue("profile", Role.SERVICE)
            authority.issue("edge", Role.MERCHANDISER)
            assert await served_serial(address, tmp_path) != serials[1]
            with pytest.raises(PermissionDenied, match="cert:edge"):  # what the new certificate says
                await call(ask, ASK, part="profile", timeout_s=5)
            assert channel.current() is not first  # type: ignore[attr-defined]
        assert len(servicer.callers) == 1


async def served_serial(address: str, folder: Path) -> int:
    from cryptography import x509

    host, port = address.split(":")
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    trust.load_cert_chain(folder / "edge.pem", folder / "edge_key.pem")
    _, writer = await asyncio.open_connection(host, int(port), ssl=trust)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(der).serial_number


async def test_a_blocking_channel_carries_the_token_of_its_process_too(folder: Path) -> None:
    from meshkit.security.jwks import Jwks
    from meshkit.security.tokens import TokenVerifier
    from tests.support.token_issuer import AUDIENCE, ISSUER

    issuer = TokenIssuer("ES256")
    issuer.clients["edge"] = "s3cret"

    async def jwks() -> bytes:
        return issuer.jwks()

    tokens = TokenVerifier(Jwks(jwks, "ES256"), issuer=ISSUER, audience=AUDIENCE, algorithm="ES256")
    guarded = gate(tokens=tokens, trust_loopback=False)
    with issuer.serving() as url:
        source = TokenSource(f"{url}/token", "edge", "s3cret")
        async with profiles(folder, guarded) as (address, servicer):
            identity = Identity(files(folder, "shop"), source)  # this certificate alone would not suffice

            def ask() -> None:
                with open_sync_channel(address, CONFIG, identity) as channel:
                    ask_profile = pb_grpc.ProfileServiceStub(channel).GetPreferences
                    for _ in range(2):
                        ask_profile(ASK, timeout=5)
                    ask_profile.future(ASK, timeout=5).result()

            await asyncio.to_thread(ask)
            await get(address, identity, as_caller=Caller.of("key:shop", Role.SHOP))
            assert servicer.callers == [*["the peer itself"] * 3, "key:shop"]
        source.close()
    assert issuer.issued == 1


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
async def test_planes_speak_https_and_show_a_new_certificate_by_themselves(tmp_path: Path, kind: str) -> None:
    authority = Authority(tmp_path)
    authority.create()
    authority.issue("catalog", Role.SERVICE)
    port = free_ports(1)[0]
    serve = serve_asgi if kind == "asgi" else serve_wsgi
    tls = files(tmp_path, "catalog")
    async with serve(_asgi if kind == "asgi" else _wsgi, "127.0.0.1", port, tls=tls, drain_s=1):
        trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
            answer = await client.get(f"https://127.0.0.1:{port}/", headers={"connection": "close"})
            assert (answer.status_code, answer.text) == (200, "https")
        with pytest.raises(httpx.HTTPError):
            async with httpx.AsyncClient(trust_env=False) as plain:
                await plain.get(f"http://127.0.0.1:{port}/")
        before = await _serial(port, trust)
        authority.issue("catalog", Role.SERVICE)
        await eventually(lambda: _serial(port, trust), lambda serial: serial != before)


async def _asgi(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


def _wsgi(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.url_scheme"].encode()]


async def _serial(port: int, trust: ssl.SSLContext) -> str:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    serial = writer.get_extra_info("peercert")["serialNumber"]
    writer.transport.abort()
    return str(serial)


async def eventually(look: Callable, good: Callable, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not good(await look()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def test_plaintext_off_loopback_is_refused_unless_it_is_allowed(folder: Path) -> None:
    def settings(**fields: object) -> MeshSettings:
        return MeshSettings(_env_file=None, **fields)  # type: ignore[call-arg, arg-type]

    for process in ("edge", "catalog"):
        assert serving_tls(settings(), process) is None
        with pytest.raises(SettingsInvalid, match=r"RECOMESH_HOST: .*RECOMESH_ALLOW_PLAINTEXT"):
            serving_tls(settings(host="0.0.0.0"), process)
        assert serving_tls(settings(host="0.0.0.0", allow_plaintext=True), process) is None
    assert serving_tls(settings(host="0.0.0.0", tls_dir=folder), "profile") == files(folder, "profile")
    public = settings(host="0.0.0.0", edge_tls_cert=folder / "edge.pem", edge_tls_key=folder / "edge_key.pem")
    assert serving_tls(public, "edge") is not None
    with pytest.raises(SettingsInvalid, match=r"catalog\.internal"):
        mesh_identity(settings(catalog_target="catalog.internal:50051"), "edge")
    with pytest.raises(SettingsInvalid, match="dns:///reco"):
        mesh_identity(settings(reco_target="dns:///reco:50052"), "edge")
    assert mesh_identity(settings(tls_dir=folder, catalog_target="catalog.internal:1"), "edge").files
    with pytest.raises(SettingsInvalid, match=r"workers.pem"):
        mesh_identity(settings(tls_dir=folder), "workers")
    with pytest.raises(SettingsInvalid, match="both or neither"):
        serving_tls(settings(edge_tls_cert=folder / "edge.pem"), "edge")
    with pytest.raises(SettingsInvalid, match="over TLS only"):
        mesh_identity(settings(client_token_url="https://i/token"), "edge")
