"""What the catalog and the model change is seen in every answer within 2 s, cached ones included."""

from datetime import UTC, datetime, timedelta

from recomesh.catalog.v1 import catalog_pb2

from tests.support.edge_client import RunningEdge, eventually
from tests.support.fake_services import FakeMesh, product

WITHIN_S = 2.0


async def settled(shop: RunningEdge) -> None:
    async def is_settled() -> bool:
        return not shop.edge.services.answers.settling

    await eventually(is_settled, what="answers settled")


async def test_a_deleted_product_leaves_cached_answers(shop: RunningEdge, mesh: FakeMesh) -> None:
    await settled(shop)
    assert "pan" in await shop.ids("/v1/popular")
    assert (await shop.get("/v1/products/pan")).status_code == 200
    mesh.catalog.delete("pan")  # the recommender goes on proposing it

    async def gone() -> bool:
        listed = await shop.ids("/v1/popular")
        return "pan" not in listed and (await shop.get("/v1/products/pan")).status_code == 404

    await eventually(gone, within_s=WITHIN_S, what="pan is gone")
    items = (await shop.get("/v1/popular")).json()["items"]
    assert [item["position"] for item in items] == [1, 2, 3, 4]


async def test_hidden_expired_and_sold_out_products_are_never_recommended(shop: RunningEdge, mesh: FakeMesh) -> None:
    await settled(shop)
    assert len(await shop.ids("/v1/popular")) == 5
    mesh.catalog.put(product("knife", hidden=True))
    mesh.catalog.put(product("pan", availability=catalog_pb2.AVAILABILITY_OUT_OF_STOCK))
    mesh.catalog.put(product("lamp", expires_at=datetime.now(UTC) - timedelta(seconds=1)))

    async def only_the_rest() -> bool:
        return await shop.ids("/v1/popular") == ["board", "ball"]

    await eventually(only_the_rest, within_s=WITHIN_S, what="three products are gone")
    assert await shop.ids("/v1/popular?include=out_of_stock") == ["board", "pan", "ball"]
    assert await shop.ids("/v1/popular?fields=product_id") == ["board", "ball"]
    assert (await shop.get("/v1/products/pan")).json()["availability"] == "out_of_stock"
    assert (await shop.get("/v1/products/lamp")).status_code == 404


async def test_a_new_product_shows_in_cached_answers(shop: RunningEdge, mesh: FakeMesh) -> None:
    await settled(shop)
    assert "kettle" not in await shop.ids("/v1/new")
    mesh.catalog.put(product("kettle"))

    async def shown() -> bool:
        if shop.edge.services.answers.settling:
            mesh.reco.ranking = ["kettle", "knife"]  # the recommender hears of it after the edge
        return "kettle" in await shop.ids("/v1/new")

    await eventually(shown, within_s=WITHIN_S, what="kettle is recommended")


async def test_a_new_price_shows_on_the_card_of_a_cached_answer(shop: RunningEdge, mesh: FakeMesh) -> None:
    await settled(shop)
    before = (await shop.get("/v1/popular")).json()
    mesh.catalog.put(product("knife", price=49.5))

    async def repriced() -> bool:
        body = (await shop.get("/v1/popular")).json()
        assert body["recommendation_id"] == before["recommendation_id"]
        return bool(body["items"][0]["product"]["price"] == 49.5)

    await eventually(repriced, within_s=WITHIN_S, what="the new price")


async def test_a_cached_answer_keeps_to_its_filter_when_a_price_rises(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.reco.ranking = ["ball", "board"]
    await settled(shop)
    path = "/v1/popular?filter=price%20%3C%2030"
    assert await shop.ids(path) == ["ball", "board"]
    mesh.catalog.put(product("ball", price=31))

    async def dropped() -> bool:
        return await shop.ids(path) == ["board"]

    await eventually(dropped, within_s=WITHIN_S, what="the ball costs too much now")


async def test_new_rules_and_a_new_model_show_within_two_seconds(shop: RunningEdge, mesh: FakeMesh) -> None:
    await settled(shop)
    assert (await shop.get("/v1/trending")).json()["rules_version"] == "rules-1"
    mesh.reco.rules_version = "rules-2"
    mesh.reco.model_version = "model-2"

    async def renewed() -> bool:
        body = (await shop.get("/v1/trending")).json()
        return (body["model_version"], body["rules_version"]) == ("model-2", "rules-2")

    await eventually(renewed, within_s=WITHIN_S, what="the new rules")


async def test_a_product_that_expires_leaves_hot_answers_on_time(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.catalog.put(product("flower", expires_at=datetime.now(UTC) + timedelta(seconds=6)))
    mesh.reco.ranking = ["flower", "knife"]
    await settled(shop)
    assert await shop.ids("/v1/popular") == ["flower", "knife"]

    async def gone() -> bool:
        return await shop.ids("/v1/popular") == ["knife"]

    await eventually(gone, within_s=8, what="the flower has expired")


async def test_a_visitor_is_never_answered_from_a_cache(shop: RunningEdge, mesh: FakeMesh) -> None:
    bodies = [
        (await shop.client.post("/v1/recommendations", json={"visitor_id": "v1"})).json()["recommendation_id"]
        for _ in range(3)
    ]
    assert len(set(bodies)) == 3
