"""A running catalog process and a client of it."""

import grpc
import httpx
import pytest
from google.type.money_pb2 import Money
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recomesh.catalog.v1 import catalog_pb2, catalog_service_pb2_grpc
from recomesh.catalog.v1 import catalog_service_pb2 as pb

from meshkit.rpc.client import call_sync, open_sync_channel
from tests.support.processes import private_env, running, settings_of, wait_until


class Client:
    """gRPC and admin plane of a catalog process with this environment."""

    def __init__(self, env):
        self.settings = settings_of(env)
        self.url = f"http://127.0.0.1:{self.settings.catalog_admin_port}"
        self.channel = open_sync_channel(self.settings.target("catalog"), self.settings.service_config)
        self.stub = catalog_service_pb2_grpc.CatalogServiceStub(self.channel)

    def wait(self) -> None:
        """Until the process serves; a busy machine may take its time to start one."""
        wait_until(self.ready, within_s=120, what="the catalog is ready")

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200 and self.serving() == "SERVING"
        except (httpx.HTTPError, grpc.RpcError):
            return False

    def call(self, name, *, patience_s=None, **fields):
        """One rpc by name, within its own deadline or `patience_s`; raises errors of the tree."""
        request = getattr(pb, f"{name}Request")(**fields)
        return call_sync(getattr(self.stub, name), request, part="catalog", timeout_s=patience_s)

    def upsert(self, *products):
        return self.call("UpsertProducts", products=products)

    def serving(self) -> str:
        request = health_pb2.HealthCheckRequest(service="recomesh.catalog.v1.CatalogService")
        answer = health_pb2_grpc.HealthStub(self.channel).Check(request, timeout=2)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=("admin", "secret"), timeout=30)

    def close(self) -> None:
        self.channel.close()


def make_product(product_id, title="Mug", price=None, **fields):
    """A product message; `price` in euros."""
    money = None if price is None else Money(currency_code="EUR", units=int(price), nanos=round(price % 1 * 10**9))
    return catalog_pb2.Product(product_id=product_id, title=title, price=money, **fields)


@pytest.fixture
def new_product():
    return make_product


@pytest.fixture
def start(tmp_path):
    """Starts catalog processes on one home; each is stopped by its context."""
    env = private_env(tmp_path / "home", admin_password="secret")
    clients = []

    def starting():
        return running("catalog_svc", env=env, log=tmp_path / "catalog.log")

    def client() -> Client:
        clients.append(Client(env))
        return clients[-1]

    starting.env = env
    starting.log = tmp_path / "catalog.log"
    starting.client = client
    yield starting
    for each in clients:
        each.close()


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """One process for all tests of a module that leave it as they found it, or use ids of their own."""
    folder = tmp_path_factory.mktemp("catalog")
    env = private_env(folder / "home", admin_password="secret")
    client = Client(env)
    with running("catalog_svc", env=env, log=folder / "catalog.log"):
        client.wait()
        yield client
    client.close()
