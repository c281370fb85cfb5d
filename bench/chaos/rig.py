"""A mesh with two recommenders and a proxy in front of every part, and hands that break and mend it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import grpc
import httpx
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recomesh.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from bench import shop
from bench.chaos.proxy import FaultProxy, ProxyThread, Wire
from bench.mesh import Mesh, private_mesh
from bench.ports import free_ports
from meshkit.settings import ENV_PREFIX
from tests.support.servers import Server

RECOVER_S = 180.0
PRODUCTS, EVENTS = 300, 3000
MODULES = {
    "catalog": "catalog_svc",
    "profile": "profile_svc",
    "reco-1": "reco_svc",
    "worker": "queue_workers",
    "edge": "edge",
}
RECOS = ("reco-1", "reco-2")


class Fault(StrEnum):
    """The columns of the table in docs/resilience."""

    KILLED = "killed"
    FROZEN = "frozen"
    SLOW = "slow"
    GARBAGE = "garbage"


class Rig:
    """The running mesh. Names of parts: those of MODULES, "reco-2", and the servers given ("redis", …)."""

    def __init__(
        self,
        mesh: Mesh,
        threads: ProxyThread,
        proxies: dict[str, FaultProxy],
        servers: dict[str, Server],
        ports: list[int],
    ) -> None:
        self.mesh = mesh
        self.proxies = proxies
        self.servers = servers
        self._threads = threads
        self._second_ports = ports
        self._second: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{mesh.port}", timeout=10, trust_env=False)

    def start_second(self) -> None:
        """Starts the second recommender, on the first one's stores."""
        grpc_port, admin_port = self._second_ports
        env = self.mesh.env | {
            f"{ENV_PREFIX}RECO_PORT": str(grpc_port),
            f"{ENV_PREFIX}RECO_ADMIN_PORT": str(admin_port),
        }
        with (Path(self.mesh.settings.home) / "reco-2.log").open("ab") as log:
            # A session of its own, as the supervisor gives the first: systems share processors among sessions, and in
            # this one are the clients.
            command = [sys.executable, "-m", "reco_svc"]
            self._second = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)

    def await_second(self) -> None:
        """Until the second recommender serves."""
        wait_for(lambda: is_serving(self._second_ports[0]), "the second recommender")

    def pid(self, part: str) -> int:
        """Process id of a part now; 0 while it does not run."""
        if part == "reco-2":
            return self._second.pid if self._second and self._second.poll() is None else 0
        for child in psutil.Process(self.mesh.pid).children():
            with contextlib.suppress(psutil.Error):
                words = child.cmdline()
                if "-m" in words and words[words.index("-m") + 1] == MODULES[part]:
                    return child.pid
        return 0

    def inject(self, part: str, fault: Fault) -> None:
        """Breaks a part. A killed one stays away until `heal`, also where the supervisor starts it again."""
        if fault in (Fault.SLOW, Fault.GARBAGE):
            self._wire(part, Wire(fault.value))
        elif fault is Fault.FROZEN:
            self._signal(part, signal.SIGSTOP)
        elif part in self.servers:
            self._wire(part, Wire.CUT)
            self.servers[part].kill()
        else:
            if part in self.proxies:
                self._wire(part, Wire.CUT)
            self._signal(part, signal.SIGKILL)

    def heal(self, part: str, fault: Fault) -> None:
        """Mends what `inject` broke; `settle` waits until the mesh is well."""
        if fault is Fault.FROZEN:
            self._signal(part, signal.SIGCONT)
        if fault is Fault.KILLED and part in self.servers:
            self.servers[part].start()
        if fault is Fault.KILLED and part == "reco-2" and not self.pid(part):
            self.start_second()
        if part in self.proxies:
            self._wire(part, Wire.FINE)

    def restart_second(self) -> None:
        """A clean restart: SIGTERM, drain, start, serve."""
        assert self._second is not None
        self._second.send_signal(signal.SIGTERM)
        self._second.wait(60)
        self.start_second()
        self.await_second()

    def settle(self) -> None:
        """Until every replica is in use, every circuit closed, and an answer is fresh again."""
        wait_for(self._is_well, "a healthy mesh")

    def stop_second(self) -> None:
        """Ends the second recommender."""
        if self._second is not None and self._second.poll() is None:
            self._second.send_signal(signal.SIGCONT)
            self._second.terminate()
            try:
                self._second.wait(20)
            except subprocess.TimeoutExpired:
                self._second.kill()
                self._second.wait()

    def edge_status(self) -> dict[str, object]:
        """What the edge says on its internal status page."""
        url = f"http://127.0.0.1:{self.mesh.settings.edge_metrics_port}/status"
        answer = httpx.get(url, timeout=5, trust_env=False)
        found: dict[str, object] = answer.json()
        return found

    def _is_well(self) -> bool:
        try:
            if not all(is_serving(p) for p in (self.mesh.settings.reco_port, self._second_ports[0])):
                return False
            status = self.edge_status()
            replicas, circuits = status["replicas"], status["circuits"]
            assert isinstance(replicas, list)
            assert isinstance(circuits, list)
            # a circuit closes by the next calls: these make them
            asked = self.http.post("/v1/recommendations", json={"visitor_id": "settling"})
            self.http.get("/v1/products?page_size=1")
            self.http.get("/v1/profiles/settling")
            self.http.get("/v1/freshness")
            event = {"event_id": f"settling-{time.monotonic_ns()}", "type": "view_item", "visitor_id": "settling"}
            self.http.post("/v1/events", json={"events": [{**event, "product_id": shop.product_id(0)}]})
            return (
                all(r["state"] == "in use" for r in replicas)
                and all(c["circuit"] == "closed" for c in circuits)
                and asked.status_code == 200
                and not asked.json()["degraded"]
            )
        except httpx.HTTPError:
            return False

    def _wire(self, part: str, wire: Wire) -> None:
        self._threads.set(self.proxies[part], wire)

    def _signal(self, part: str, number: signal.Signals) -> None:
        if part in self.servers:
            server = self.servers[part]
            server.freeze() if number is signal.SIGSTOP else server.thaw()
            return
        if pid := self.pid(part):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def rig(servers: dict[str, tuple[Server, str]]) -> Iterator[Rig]:
    """A mesh with a small untrained shop over `servers`: name → (a started server, the setting that takes its URL)."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recomesh-chaos-")))
        threads = ProxyThread()
        stack.callback(threads.close)
        catalog, first, profile, *second = free_ports(5)
        ports = {"catalog": catalog, "reco-1": first, "profile": profile, "reco-2": second[0]}
        proxies = {part: threads.open(port) for part, port in ports.items()}
        settings = {"catalog_port": catalog, "reco_port": first, "profile_port": profile}
        settings |= {f"{p}_target": f"127.0.0.1:{proxies[p].port}" for p in ("catalog", "profile")}
        settings |= {"reco_target": ",".join(f"127.0.0.1:{proxies[p].port}" for p in RECOS)}
        for name, (server, setting) in servers.items():
            proxies[name] = threads.open(server.port)
            settings[setting] = server.url.replace(f":{server.port}", f":{proxies[name].port}")
        extra = {name: str(value) for name, value in settings.items()}
        mesh = stack.enter_context(private_mesh(home, worker_embedder="lsa", drain_s="10", **extra))
        made = Rig(mesh, threads, proxies, {name: server for name, (server, _) in servers.items()}, second)
        stack.callback(made.stop_second)
        stack.callback(made.http.close)
        made.start_second()
        fill(made)
        made.settle()
        yield made


def fill(rig: Rig) -> None:
    """Products and events of the bench's shop, and waits until the recommender answers with them."""
    now = datetime.now(UTC)
    with grpc.insecure_channel(f"127.0.0.1:{rig.mesh.settings.catalog_port}") as channel:
        request = catalog_service_pb2.ImportProductsRequest(products=shop.products(PRODUCTS, now))
        catalog_service_pb2_grpc.CatalogServiceStub(channel).ImportProducts(iter([request]), timeout=RECOVER_S)
    with grpc.insecure_channel(f"127.0.0.1:{rig.mesh.settings.reco_port}") as channel:
        events = reco_service_pb2.ImportInteractionsRequest(interactions=shop.interactions(EVENTS, PRODUCTS, now))
        reco_service_pb2_grpc.InteractionServiceStub(channel).ImportInteractions(iter([events]), timeout=RECOVER_S)
    wait_for(lambda: bool(rig.http.get("/v1/popular").json().get("items")), "popular products")


def is_serving(port: int) -> bool:
    """True if a gRPC server on loopback says SERVING."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def wait_for(condition: object, what: str) -> None:
    """Until `condition()` is true; TimeoutError after RECOVER_S seconds."""
    assert callable(condition)
    deadline = time.monotonic() + RECOVER_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {RECOVER_S} s: {what}")
        time.sleep(0.1)
