"""Every rpc of the catalog over a real socket, with good and bad input."""

import grpc
import pytest
from google.type.money_pb2 import Money
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from recomesh.catalog.v1 import catalog_pb2
from recomesh.catalog.v1 import catalog_service_pb2 as pb

from meshkit.broker.open import open_broker
from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from meshkit.topics import PRODUCT_CHANGED
from tests.support.processes import wait_until


def test_a_product_is_written_read_and_deleted(catalog, new_product):
    mug = new_product("rw", "Blue mug", 9.99, categories=["Home>Kitchen"], attributes={"color": "blue"})
    done = catalog.upsert(mug)
    assert (done.created, done.updated, done.unchanged) == (1, 0, 0)
    stored = catalog.call("GetProduct", product_id="rw").product
    assert (stored.title, list(stored.categories), stored.revision) == ("Blue mug", ["Home > Kitchen"], done.revision)
    assert stored.price == Money(currency_code="EUR", units=9, nanos=990_000_000)
    assert stored.availability == catalog_pb2.AVAILABILITY_IN_STOCK
    assert stored.HasField("created_at")
    assert catalog.upsert(stored).unchanged == 1
    gone = catalog.call("DeleteProducts", product_ids=["rw", "never"])
    assert (gone.deleted, list(gone.unknown_ids), gone.revision) == (1, ["never"], done.revision + 1)
    with pytest.raises(NotFound) as caught:
        catalog.call("GetProduct", product_id="rw")
    assert caught.value.reason == "PRODUCT_NOT_FOUND"


def test_products_are_found_in_every_way(catalog, new_product):
    catalog.upsert(
        new_product("find-1", "Zebra lamp", 10.0, categories=["Find > A"], brand="Lux"),
        new_product("find-2", "Zebra mug", 20.0, categories=["Find > B"], availability=2),
        new_product("find-3", "Zebra card", 30.0, categories=["Find > B"], hidden=True),
    )
    batch = catalog.call("BatchGetProducts", product_ids=["find-2", "x", "find-1", "find-2"])
    assert ([p.product_id for p in batch.products], list(batch.unknown_ids)) == (["find-2", "find-1"], ["x"])
    listing = catalog.call("ListProducts", filter='category:"Find" AND price < 25', page_size=1)
    assert [p.product_id for p in listing.products] == ["find-1"]
    rest = catalog.call(
        "ListProducts", filter='category:"Find" AND price < 25', page_size=9, page_token=listing.next_page_token
    )
    assert ([p.product_id for p in rest.products], rest.next_page_token) == (["find-2"], "")
    every = catalog.call("ListProducts", filter='category:"Find"', include_hidden=True)
    assert len(every.products) == 3
    hits = catalog.call("SearchProducts", query="zebras", filter="in_stock").hits
    assert [hit.product.product_id for hit in hits] == ["find-1"]
    counts = {c.path: c.product_count for c in catalog.call("ListCategories", parent="Find").categories}
    assert counts == {"Find": 2, "Find > A": 1, "Find > B": 1}


def test_an_import_stores_batches_and_reports_refused_products(catalog, new_product):
    def batches():
        yield pb.ImportProductsRequest(products=[new_product(f"im-{n}") for n in range(1_000)])
        yield pb.ImportProductsRequest()
        yield pb.ImportProductsRequest(products=[new_product("im-0"), new_product(""), new_product("im-x", "")])

    done = catalog.stub.ImportProducts(batches(), timeout=120)
    assert (done.read, done.created, done.unchanged, done.rejected_count) == (1_003, 1_000, 1, 2)
    assert [(r.index, r.field) for r in done.rejected] == [(1_001, "product_id"), (1_002, "title")]
    assert catalog.stub.ImportProducts(iter(()), timeout=120).read == 0


def test_the_feed_leads_from_any_cursor_to_the_end(catalog, new_product):
    end = catalog.call("ListChanges", from_end=True, after_revision=12).next_revision
    assert catalog.call("ListChanges", after_revision=end) == pb.ListChangesResponse(next_revision=end)
    catalog.upsert(new_product("feed-1"), new_product("feed-2"))
    catalog.call("DeleteProducts", product_ids=["feed-1"])
    page = catalog.call("ListChanges", after_revision=end, page_size=1)
    assert ([c.product_id for c in page.changes], page.has_more) == (["feed-2"], True)
    page = catalog.call("ListChanges", after_revision=page.next_revision)
    assert [(c.product_id, c.kind) for c in page.changes] == [("feed-1", catalog_pb2.CHANGE_KIND_DELETED)]
    with pytest.raises(FailedPrecondition) as caught:
        catalog.call("ListChanges", after_revision=10**9)
    assert caught.value.reason == "CURSOR_AHEAD"


def test_a_change_reaches_the_queue_at_once(catalog, new_product):
    broker = open_broker(catalog.settings.sqlite_url("queue.db"))
    try:
        catalog.upsert(new_product("queued"))
        wait_until(lambda: b'"queued"' in _drain(broker), within_s=5)
    finally:
        broker.close()


@pytest.mark.parametrize(
    ("rpc", "request_fields", "field"),
    [
        ("GetProduct", {}, "product_id"),
        ("GetProduct", {"product_id": "x" * 129}, "product_id"),
        ("GetProduct", {"product_id": "\x00"}, "product_id"),
        ("BatchGetProducts", {"product_ids": ["x"] * 1_001}, "product_ids"),
        ("ListProducts", {"page_size": -1}, "page_size"),
        ("ListProducts", {"page_token": "nonsense"}, "page_token"),
        ("ListProducts", {"filter": "price <"}, "filter"),
        ("ListProducts", {"filter": "(" * 1_000}, "filter"),
        ("ListProducts", {"filter": "x" * 100_000}, "filter"),
        ("SearchProducts", {}, "query"),
        ("SearchProducts", {"query": "x" * 501}, "query"),
        ("SearchProducts", {"query": "x", "limit": -5}, "limit"),
        ("SearchProducts", {"query": "x", "filter": "\x00"}, "filter"),
        ("ListCategories", {"parent": " > > "}, "parent"),
        ("UpsertProducts", {}, "products"),
        ("UpsertProducts", {"products": [catalog_pb2.Product()] * 1_001}, "products"),
        ("DeleteProducts", {}, "product_ids"),
        ("DeleteProducts", {"product_ids": ["x"] * 1_001}, "product_ids"),
        ("ListChanges", {"after_revision": -1}, "after_revision"),
        ("ListChanges", {"page_size": -1}, "page_size"),
    ],
)
def test_wrong_requests_name_the_field(catalog, rpc, request_fields, field):
    with pytest.raises(InvalidArgument) as caught:
        catalog.call(rpc, **request_fields)
    assert caught.value.violations[0].field == field


@pytest.mark.parametrize(
    ("rpc", "request_fields"),
    [
        ("BatchGetProducts", {}),
        ("BatchGetProducts", {"product_ids": ["", "\x00", "x" * 500]}),
        ("ListProducts", {"page_size": 2**31 - 1}),
        ("ListProducts", {"filter": "  "}),
        ("SearchProducts", {"query": '" AND OR ( * NEAR', "limit": 2**31 - 1}),
        ("SearchProducts", {"query": "💥"}),
        ("SearchProducts", {"query": "\x00 \ufffe ' ; -- mug"}),
        ("ListCategories", {"parent": "%_\x00"}),
        ("DeleteProducts", {"product_ids": ["", "\x00", "💥"]}),
        ("ListChanges", {"page_size": 2**31 - 1}),
    ],
)
def test_odd_requests_get_a_sensible_answer(catalog, rpc, request_fields):
    catalog.call(rpc, **request_fields)


def test_a_refused_product_names_its_field_and_the_others_are_stored(catalog, new_product):
    done = catalog.upsert(
        new_product("mixed-1"),
        new_product("mixed-2", price=5.0, availability=77),
        new_product("mixed-3", tags=[""]),
        catalog_pb2.Product(product_id="mixed-4", title="x", price=Money(units=5)),
    )
    assert done.created == 1
    assert [(r.index, r.product_id, r.field) for r in done.rejected] == [
        (1, "mixed-2", "availability"),
        (2, "mixed-3", "tags[0]"),
        (3, "mixed-4", "currency"),
    ]


def test_a_message_over_the_limit_is_refused_and_the_process_lives(catalog, new_product):
    large = new_product("large", description="x" * 20_000)
    with pytest.raises(grpc.RpcError) as caught:
        catalog.stub.UpsertProducts(pb.UpsertProductsRequest(products=[large] * 900), timeout=120)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert catalog.ready()


def test_bytes_that_are_no_message_are_refused(catalog):
    raw = catalog.channel.unary_unary("/recomesh.catalog.v1.CatalogService/GetProduct")
    for body in (b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7fshort"):
        with pytest.raises(grpc.RpcError) as caught:
            raw(body, timeout=5)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert catalog.ready()


def test_the_service_describes_itself(catalog):
    stub = reflection_pb2_grpc.ServerReflectionStub(catalog.channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    names = [s.name for answer in stub.ServerReflectionInfo(asked) for s in answer.list_services_response.service]
    assert {"recomesh.catalog.v1.CatalogService", "grpc.health.v1.Health"} <= set(names)
    assert catalog.serving() == "SERVING"


def _drain(broker):
    got = broker.receive(PRODUCT_CHANGED, limit=100, wait_s=0)
    broker.ack(got)
    return b"".join(delivery.message.body for delivery in got)
