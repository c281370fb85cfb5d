"""Who changes something by gRPC is in the audit trail, with what and how it ended."""

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from recomesh.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc

from bench.ports import free_ports
from meshkit.errors import Unavailable
from meshkit.health import Health
from meshkit.rpc.server import start_server
from meshkit.security.access import GRPC
from meshkit.security.roles import Role
from meshkit.security.rpc_audit import CHANGES, action_of
from meshkit.security.rpc_guard import RpcGuard
from tests.support.gates import Keys, gate

Stub = catalog_service_pb2_grpc.CatalogServiceStub


class Catalog(catalog_service_pb2_grpc.CatalogServiceServicer):
    async def GetProduct(self, request, context):
        return catalog_service_pb2.GetProductResponse()

    async def UpsertProducts(self, request, context):
        return catalog_service_pb2.UpsertProductsResponse()

    async def DeleteProducts(self, request, context):
        raise Unavailable("store")

    async def ImportProducts(self, request_iterator, context):
        async for _ in request_iterator:
            pass
        return catalog_service_pb2.ImportProductsResponse()


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def stub(keys: Keys) -> AsyncIterator[Stub]:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    server = await start_server(
        address,
        register=lambda s: catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(Catalog(), s),
        services=[],
        health=Health([]),
        guard=RpcGuard(gate(keys)),
    )
    async with grpc.aio.insecure_channel(address) as channel:
        yield Stub(channel)
    await server.stop(0)


def entries(keys: Keys) -> list[tuple[str, str, str, str, str]]:
    found = reversed(keys.trail.latest(50))
    return [(e.actor, e.action, e.subject, e.outcome, e.detail) for e in found if e.action.startswith("catalog-grpc.")]


async def test_a_change_leaves_an_entry_and_a_read_none(stub: Stub, keys: Keys) -> None:
    key = keys.make(Role.MERCHANDISER)
    credentials = [("authorization", f"Bearer {key}")]
    products = [catalog_pb2.Product(product_id=f"p{n}") for n in range(7)]
    await stub.GetProduct(catalog_service_pb2.GetProductRequest(product_id="p0"), metadata=credentials)
    await stub.UpsertProducts(catalog_service_pb2.UpsertProductsRequest(products=products), metadata=credentials)
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.DeleteProducts(catalog_service_pb2.DeleteProductsRequest(product_ids=["p0"]))
    await stub.ImportProducts(iter([catalog_service_pb2.ImportProductsRequest()]))
    actor = f"key:{key[3:15]}"
    assert entries(keys) == [
        (actor, "catalog-grpc.UpsertProducts", "7 products: p0, p1, p2, p3, p4, …", "done", "status=OK"),
        ("loopback", "catalog-grpc.DeleteProducts", "1 products: p0", "failed", "status=UNAVAILABLE"),
        ("loopback", "catalog-grpc.ImportProducts", "a stream", "done", "status=OK"),
    ]


async def test_what_is_refused_changes_nothing_and_fills_no_trail(stub: Stub, keys: Keys) -> None:
    credentials = [("authorization", f"Bearer {keys.make(Role.SHOP)}")]
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.UpsertProducts(catalog_service_pb2.UpsertProductsRequest(), metadata=credentials)
    assert entries(keys) == []


def test_every_rpc_that_administers_is_audited() -> None:
    assert {action_of(method) for method in CHANGES} == {
        *("catalog-grpc.UpsertProducts", "catalog-grpc.DeleteProducts", "catalog-grpc.ImportProducts"),
        *("reco-grpc.ImportInteractions", "reco-grpc.TrainModel", "reco-grpc.ActivateModel"),
    }
    assert set(GRPC) >= CHANGES
