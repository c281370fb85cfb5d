"""The catalog process on database servers, over real sockets: its whole api, the server killed and back."""

import grpc
import pytest
from recomesh.catalog.v1 import catalog_pb2

from meshkit.errors import Unavailable
from tests.support.processes import wait_until


@pytest.fixture(params=["postgres", "mongo"])
def server(request, start):
    found = request.getfixturevalue(request.param)
    start.env["RECOMESH_CATALOG_URL"] = found.new_database()
    start.env["RECOMESH_CATALOG_MONGO_TIMEOUT_S"] = "1.5"
    return found


def test_the_catalog_serves_on_a_server_fails_in_time_without_it_and_heals(start, server, new_product):
    client = start.client()
    with start():
        client.wait()
        stored = client.upsert(*(new_product(f"p{n}", f"Blue mug {n}", price=n + 0.5) for n in range(25)))
        assert stored.created == 25
        assert client.call("GetProduct", product_id="p7").product.title == "Blue mug 7"
        first = client.call("ListProducts", filter="price < 20", page_size=15)
        rest = client.call("ListProducts", filter="price < 20", page_size=15, page_token=first.next_page_token)
        assert len({p.product_id for p in (*first.products, *rest.products)}) == 20
        hits = client.call("SearchProducts", query="mugs 7", limit=3).hits
        assert hits[0].product.product_id == "p7"
        client.call("DeleteProducts", product_ids=["p0"])
        feed = client.call("ListChanges", after_revision=20)
        assert [c.revision for c in feed.changes] == list(range(21, 27))
        last = feed.changes[-1]
        assert (last.product_id, last.kind) == ("p0", catalog_pb2.ChangeKind.CHANGE_KIND_DELETED)

        server.kill()
        try:
            with pytest.raises(Unavailable):
                client.call("GetProduct", patience_s=10, product_id="p8")  # the store's 1.5 s are over long before
            wait_until(lambda: client.serving() == "NOT_SERVING")
        finally:
            server.start()
        wait_until(lambda: client.serving() == "SERVING", within_s=60)
        assert client.call("GetProduct", product_id="p8").product.title == "Blue mug 8"
        assert client.upsert(new_product("new")).created == 1
        assert client.call("ListChanges", from_end=True).next_revision == 27


def test_a_catalog_started_before_its_server_is_ready_when_the_server_comes(start, server, new_product):
    server.kill()
    client = start.client()
    with start():
        try:
            wait_until(lambda: _not_serving(client), within_s=120)
        finally:
            server.start()
        wait_until(client.ready, within_s=60)
        assert client.upsert(new_product("a")).created == 1


def _not_serving(client) -> bool:
    try:
        return client.serving() == "NOT_SERVING"
    except grpc.RpcError:  # it does not listen yet
        return False
