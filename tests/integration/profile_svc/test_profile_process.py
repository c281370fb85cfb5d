"""The profile process as others see it: gRPC, admin plane, queue, crash and restart."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import orjson
import pytest
from google.type.money_pb2 import Money
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recomesh.profile.v1 import profile_pb2, profile_service_pb2, profile_service_pb2_grpc
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from meshkit.broker.open import open_broker
from meshkit.errors import Aborted, InvalidArgument
from meshkit.rpc.client import call_sync, open_sync_channel
from meshkit.topics import VISITOR_ERASED
from tests.support.processes import private_env, running, settings_of, wait_until


class Profile:
    """A running process and a client of it."""

    def __init__(self, env, log):
        self.settings = settings_of(env)
        self.admin = f"http://127.0.0.1:{self.settings.profile_admin_port}"
        self.log = log
        self.channel = open_sync_channel(self.settings.target("profile"), self.settings.service_config)
        self.stub = profile_service_pb2_grpc.ProfileServiceStub(self.channel)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.admin}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def get(self, visitor_id: str) -> profile_pb2.Preferences:
        request = profile_service_pb2.GetPreferencesRequest(visitor_id=visitor_id)
        return call_sync(self.stub.GetPreferences, request, part="profile").preferences

    def update(self, mask=(), **fields) -> profile_pb2.Preferences:
        request = profile_service_pb2.UpdatePreferencesRequest(preferences=profile_pb2.Preferences(**fields))
        request.update_mask.paths.extend(mask)
        return call_sync(self.stub.UpdatePreferences, request, part="profile").preferences

    def erase(self, visitor_id: str) -> profile_pb2.ErasureReceipt:
        request = profile_service_pb2.EraseProfileRequest(visitor_id=visitor_id)
        return call_sync(self.stub.EraseProfile, request, part="profile").receipt

    def changes(self, after: int) -> profile_service_pb2.ListPreferenceChangesResponse:
        request = profile_service_pb2.ListPreferenceChangesRequest(after_revision=after)
        return call_sync(self.stub.ListPreferenceChanges, request, part="profile")


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    return private_env(tmp_path_factory.mktemp("home"), admin_password="secret")


@pytest.fixture(scope="module")
def profile(env, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "profile.log"
    client = Profile(env, log)
    with running("profile_svc", env=env, log=log):
        wait_until(client.ready, what="readyz")
        yield client
    client.channel.close()


def test_preferences_are_changed_read_and_followed(profile):
    made = profile.update(visitor_id="é 1", brands=["Acme"], price_max=Money(currency_code="EUR", units=20))
    assert profile.get("é 1") == made
    assert made.revision > 0
    page = profile.changes(made.revision - 1)
    assert [c.visitor_id for c in page.changes] == ["é 1"]
    assert profile.changes(page.next_revision).next_revision == page.next_revision
    assert profile.update(["opted_out"], visitor_id="é 1", opted_out=True).brands == ["Acme"]


def test_errors_arrive_with_their_reason(profile):
    profile.update(visitor_id="v2", brands=["Acme"])
    with pytest.raises(Aborted):
        profile.update(visitor_id="v2", brands=["Bolt"], revision=10**9)
    with pytest.raises(InvalidArgument) as caught:
        profile.update(["colour"], visitor_id="v2")
    assert caught.value.violations[0].field == "update_mask"
    with pytest.raises(InvalidArgument):
        profile.get("")


def test_health_and_reflection_answer(profile):
    check = health_pb2.HealthCheckRequest(service="recomesh.profile.v1.ProfileService")
    answer = health_pb2_grpc.HealthStub(profile.channel).Check(check, timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_an_erasure_with_the_recommender_away_is_pending_and_durable(profile):
    profile.update(visitor_id="gone", brands=["Acme"])
    receipt = profile.erase("gone")
    states = {(p.store, p.what): p.state for p in receipt.parts}
    assert states == {
        ("profile", "preferences"): profile_pb2.ERASURE_STATE_ERASED,
        ("reco", "interactions"): profile_pb2.ERASURE_STATE_PENDING,
        ("reco", "session"): profile_pb2.ERASURE_STATE_PENDING,
    }
    broker = open_broker(profile.settings.sqlite_url("queue.db"))
    try:
        deliveries = broker.receive(VISITOR_ERASED, limit=10, wait_s=5)
        bodies = [orjson.loads(d.message.body) for d in deliveries]
        broker.ack(deliveries)
    finally:
        broker.close()
    assert {"gone": receipt.receipt_id}.items() <= {b["visitor_id"]: b["receipt_id"] for b in bodies}.items()
    assert profile.get("gone").revision == 0


class _Reco(reco_service_pb2_grpc.InteractionServiceServicer):
    def __init__(self):
        self.asked = []

    def EraseVisitor(self, request, context):
        self.asked.append(request.visitor_id)
        return reco_service_pb2.EraseVisitorResponse(erased={"session": 3, "interactions": 4})


@pytest.fixture
def reco(profile):
    servicer, server = _Reco(), grpc.server(ThreadPoolExecutor(2))
    reco_service_pb2_grpc.add_InteractionServiceServicer_to_server(servicer, server)
    server.add_insecure_port(profile.settings.target("reco"))
    server.start()
    yield servicer
    server.stop(0).wait(5)


def test_an_erasure_counts_what_the_recommender_forgot(profile, reco):
    def erased() -> profile_pb2.ErasureReceipt | None:
        receipt = profile.erase("v3")
        return receipt if all(p.state == profile_pb2.ERASURE_STATE_ERASED for p in receipt.parts) else None

    receipt = wait_until(erased, within_s=10, what="the channel reconnects")
    assert {(p.what, p.count) for p in receipt.parts if p.store == "reco"} == {("session", 3), ("interactions", 4)}
    assert set(reco.asked) == {"v3"}


def test_the_admin_plane_is_served_behind_its_login(profile):
    assert httpx.get(f"{profile.admin}/visitors").status_code == 401
    page = httpx.get(f"{profile.admin}/visitors", auth=("admin", "secret"))
    assert page.status_code == 200
    assert page.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{profile.admin}/metrics").status_code == 200
    assert b"secret" not in profile.log.read_bytes()


def test_many_callers_at_once_lose_nothing(profile):
    def add(number: int) -> None:
        profile.update(visitor_id=f"many-{number % 10}", brands=[f"b{number}"])

    threads = [threading.Thread(target=add, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(profile.get(f"many-{n}").brands for n in range(10))


def test_a_killed_process_comes_back_with_its_data_and_stops_cleanly(tmp_path):
    env = private_env(tmp_path / "home")
    log = tmp_path / "profile.log"
    client = Profile(env, log)
    with running("profile_svc", env=env, log=log) as process:
        wait_until(client.ready, what="first start")
        made = client.update(visitor_id="v1", brands=["Acme"])
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with running("profile_svc", env=env, log=log) as process:
        wait_until(client.ready, what="second start")
        grpc.channel_ready_future(client.channel).result(10)
        assert client.get("v1") == made
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    client.channel.close()


def test_a_taken_port_is_told_in_one_line(profile, env, tmp_path):
    log = tmp_path / "second.log"
    with running("profile_svc", env=env, log=log) as process:
        assert process.wait(30) == 2
    last = log.read_text().splitlines()[-1]
    assert last.startswith("profile: address 127.0.0.1:")
    assert "is taken" in last


class _Silent(reco_service_pb2_grpc.InteractionServiceServicer):
    """A recommender that is asked and never answers."""

    def __init__(self):
        self.asked, self.let_go = threading.Event(), threading.Event()

    def EraseVisitor(self, request, context):
        self.asked.set()
        self.let_go.wait(60)
        return reco_service_pb2.EraseVisitorResponse()


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_an_erasure_whose_process_is_killed_half_way_is_still_finished(store, tmp_path, request):
    extra = {"database_url": request.getfixturevalue("postgres").new_database()} if store == "postgres" else {}
    env = private_env(tmp_path / "home", profile_erase_timeout_s=50, **extra)
    log = tmp_path / "profile.log"
    client = Profile(env, log)
    silent, server = _Silent(), grpc.server(ThreadPoolExecutor(1))
    reco_service_pb2_grpc.add_InteractionServiceServicer_to_server(silent, server)
    server.add_insecure_port(client.settings.target("reco"))
    server.start()
    with running("profile_svc", env=env, log=log) as process:
        wait_until(client.ready, within_s=90, what="first start")
        asking = client.stub.EraseProfile.future(
            profile_service_pb2.EraseProfileRequest(visitor_id="half-erased"), timeout=60
        )
        assert silent.asked.wait(30)
        process.kill()
        process.wait(10)
        assert asking.exception(30) is not None
    silent.let_go.set()
    server.stop(0).wait(5)

    with running("profile_svc", env=env, log=log):
        broker = open_broker(client.settings.sqlite_url("queue.db"))
        try:
            deliveries = wait_until(
                lambda: broker.receive(VISITOR_ERASED, limit=10, wait_s=1), within_s=120, what="the order"
            )
            broker.ack(deliveries)
        finally:
            broker.close()
    assert [orjson.loads(d.message.body)["visitor_id"] for d in deliveries] == ["half-erased"]
    client.channel.close()
