"""Deadlines of proto/service_config.json hold to the tenth of a second, whatever clock gRPC keeps."""

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable

import pytest
from recomesh.profile.v1 import profile_service_pb2 as pb
from recomesh.profile.v1 import profile_service_pb2_grpc as pb_grpc

from bench.ports import free_ports
from meshkit import context, metrics
from meshkit.errors import DeadlineExceeded
from meshkit.health import Health
from meshkit.rpc.client import call, call_sync, channel_options, deadlines_s, open_channel, open_sync_channel
from meshkit.rpc.server import start_server
from meshkit.security.rpc_guard import RpcGuard
from meshkit.settings import ROOT
from tests.support.gates import gate, local_guard
from tests.support.processes import wait_until

CONFIG = ROOT / "proto/service_config.json"
SERVICE = "recomesh.profile.v1.ProfileService"


class Slow(pb_grpc.ProfileServiceServicer):
    async def GetPreferences(self, request, context):
        await asyncio.sleep(float(request.visitor_id))
        return pb.GetPreferencesResponse()


@pytest.fixture
async def target():
    address = f"127.0.0.1:{free_ports(1)[0]}"
    add = pb_grpc.add_ProfileServiceServicer_to_server
    server = await start_server(
        address, register=lambda s: add(Slow(), s), services=[], health=Health([]), guard=local_guard()
    )
    yield address
    await server.stop(0)


@pytest.fixture
def half_a_second(tmp_path):
    path = tmp_path / "config.json"
    entry = {"name": [{"service": SERVICE, "method": "GetPreferences"}], "timeout": "0.5s"}
    path.write_text(json.dumps({"methodConfig": [entry]}))
    return path


async def soonest(ask_once: Callable[[], Awaitable], within_s: float) -> float:
    """Seconds until a call gave up: the first of ten tries that took less than `within_s`, else the best of them."""
    best = math.inf
    for _ in range(10):
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await ask_once()
        best = min(best, time.monotonic() - started)
        if best < within_s:
            break
    return best


def ask(seconds: float) -> pb.GetPreferencesRequest:
    return pb.GetPreferencesRequest(visitor_id=str(seconds))


async def test_a_deadline_of_the_file_holds(target, half_a_second):
    async with open_channel(target, half_a_second) as channel:
        method = pb_grpc.ProfileServiceStub(channel).GetPreferences
        await call(method, ask(0), part="profile")
        assert 0.45 < await soonest(lambda: call(method, ask(5), part="profile"), 0.6) < 0.6
        with open_sync_channel(target, half_a_second) as blocking:
            slow = pb_grpc.ProfileServiceStub(blocking).GetPreferences
            assert 0.45 < await soonest(lambda: asyncio.to_thread(call_sync, slow, ask(5), part="profile"), 0.6) < 0.6


async def test_the_caller_may_be_more_or_less_patient(target, half_a_second):
    async with open_channel(target, half_a_second) as channel:
        method = pb_grpc.ProfileServiceStub(channel).GetPreferences
        await call(method, ask(0.7), part="profile", timeout_s=5)
        assert await soonest(lambda: call(method, ask(5), part="profile", timeout_s=0.1), 0.2) < 0.2


async def test_a_call_never_outlasts_its_request(target, half_a_second):
    async with open_channel(target, half_a_second) as channel:
        method = pb_grpc.ProfileServiceStub(channel).GetPreferences

        async def in_a_request() -> None:
            context.bind(None, time_left_s=0.2)
            await call(method, ask(5), part="profile", timeout_s=5)

        assert await soonest(in_a_request, 0.3) < 0.3
        assert await soonest(lambda: call(method, ask(5), part="profile"), 0.1) < 0.1  # nothing is left of it


class Busy(RpcGuard):
    """The guard of a process that comes to a call when its deadline has passed."""

    done = False

    async def admit(self, method, sent, call):
        assert call.peer().startswith("ipv4:127.0.0.1:")
        time.sleep(0.3)  # noqa: ASYNC251  (the loop is busy; gRPC mostly forgets the peer meanwhile)
        try:
            return await super().admit(method, sent, call)
        finally:
            self.done = True


async def test_a_call_that_is_over_is_not_refused_as_a_stranger_s(half_a_second):
    address = f"127.0.0.1:{free_ports(1)[0]}"
    guard, add = Busy(gate()), pb_grpc.add_ProfileServiceServicer_to_server
    server = await start_server(address, register=lambda s: add(Slow(), s), services=[], health=Health([]), guard=guard)
    before = denied_strangers()
    try:
        with open_sync_channel(address, half_a_second) as channel:
            slow = pb_grpc.ProfileServiceStub(channel).GetPreferences
            with pytest.raises(DeadlineExceeded):
                await asyncio.to_thread(call_sync, slow, ask(0), part="profile", timeout_s=0.1)
            await asyncio.to_thread(wait_until, lambda: guard.done, what="the guard has come to the call")
            guard.admit = super(Busy, guard).admit
            await asyncio.to_thread(call_sync, slow, ask(0), part="profile", timeout_s=10)
    finally:
        await server.stop(0)
    assert denied_strangers() == before


class Forgotten:
    """A call whose peer gRPC has forgotten."""

    def peer(self):
        return ""

    def auth_context(self):
        return {}


async def test_a_call_without_a_peer_is_over_not_denied():
    before = denied_strangers()
    with pytest.raises(DeadlineExceeded):
        await RpcGuard(gate()).admit(f"/{SERVICE}/GetPreferences", {}, Forgotten())
    assert denied_strangers() == before


def denied_strangers() -> float:
    return metrics.DENIED_TOTAL.labels("grpc", "CREDENTIALS_REQUIRED")._value.get()


def test_grpc_itself_is_told_retries_but_no_deadline():
    told = json.loads(dict(channel_options(CONFIG))["grpc.service_config"])
    assert any("retryPolicy" in entry for entry in told["methodConfig"])
    assert not any("timeout" in entry for entry in told["methodConfig"])


def test_methods_have_their_own_deadline_or_that_of_their_service():
    found = deadlines_s(CONFIG)
    assert found["/recomesh.catalog.v1.CatalogService/"] == 2.0
    assert found["/recomesh.catalog.v1.CatalogService/ListChanges"] == 30.0
    assert found["/recomesh.reco.v1.RecommendationService/"] == 0.5
