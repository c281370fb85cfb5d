"""Reads of the public API over real sockets."""

import httpx
import pytest

from tests.support.edge_client import RunningEdge, eventually
from tests.support.fake_services import FakeMesh, product

RECOMMENDATION = {
    "recommendation_id",
    "items",
    "unknown_ids",
    "fallback_level",
    "degraded",
    "model_version",
    "rules_version",
    "generated_at",
}
SHARED = (
    "/v1/products/knife/similar",
    "/v1/products/knife/bought-together",
    "/v1/products/knife/viewed-together",
    "/v1/popular",
    "/v1/trending",
    "/v1/new",
)


@pytest.mark.parametrize("path", SHARED)
async def test_every_route_that_recommends_answers_with_one_shape(shop: RunningEdge, path: str) -> None:
    answer = await shop.get(path, params={"limit": 3})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == RECOMMENDATION
    assert [item["position"] for item in body["items"]] == [1, 2, 3]
    first = body["items"][0]
    assert set(first) == {"product_id", "position", "score", "source", "reasons", "product"}
    assert first["product"]["product_id"] == first["product_id"]
    assert body["generated_at"] == "2026-01-31T08:00:00Z"


async def test_a_product_card_has_its_price_as_a_number(shop: RunningEdge) -> None:
    card = (await shop.get("/v1/products/knife")).json()
    assert (card["price"], card["currency"], card["title"]) == (59.0, "EUR", "Chef Knife")


async def test_fields_leaves_the_cards_out(shop: RunningEdge, mesh: FakeMesh) -> None:
    body = (await shop.get("/v1/trending", params={"fields": "product_id"})).json()
    assert all("product" not in item for item in body["items"])
    assert (await shop.get("/v1/trending", params={"fields": "price"})).status_code == 400


async def test_an_unknown_product_in_the_context_is_named_and_fails_nothing(shop: RunningEdge) -> None:
    body = (await shop.get("/v1/products/nope/similar")).json()
    assert body["unknown_ids"] == ["nope"]
    assert body["items"]


async def test_an_unknown_product_is_a_404_problem(shop: RunningEdge) -> None:
    answer = await shop.get("/v1/products/nope")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("product-not-found")
    assert answer.json()["trace_id"] == answer.headers["x-request-id"]


async def test_a_product_id_may_hold_slashes_and_any_letters(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.catalog.put(product("a/b ü%?#", title="Odd"))
    quoted = "/v1/products/a%2Fb%20%C3%BC%25%3F%23"
    assert (await shop.get(quoted)).json()["title"] == "Odd"
    assert (await shop.get(f"{quoted}/similar")).json()["unknown_ids"] == ["a/b ü%?#"]


async def test_a_hidden_product_is_not_found(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.catalog.put(product("secret", hidden=True))
    assert (await shop.get("/v1/products/secret")).status_code == 404


async def test_products_page_by_token(shop: RunningEdge) -> None:
    first = (await shop.get("/v1/products", params={"page_size": 3})).json()
    rest = (await shop.get("/v1/products", params={"page_size": 3, "page_token": first["next_page_token"]})).json()
    ids = [card["product_id"] for card in first["products"] + rest["products"]]
    assert ids == ["ball", "board", "knife", "lamp", "pan"]
    assert rest["next_page_token"] == ""


async def test_categories_have_counts(shop: RunningEdge) -> None:
    categories = (await shop.get("/v1/categories")).json()["categories"]
    assert {"path": "Home > Kitchen", "product_count": 3} in categories


async def test_search_blends_words_with_meaning(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.reco.source = "similar"
    body = (await shop.get("/v1/search", params={"q": "lamp", "limit": 3})).json()
    assert set(body) == {"products", "next_page_token"}
    assert body["products"][0]["product_id"] in ("lamp", "knife")
    assert "lamp" in [card["product_id"] for card in body["products"]]
    assert mesh.reco.questions[-1].context.query == "lamp"


async def test_search_does_not_fill_up_with_what_is_popular(shop: RunningEdge) -> None:
    body = (await shop.get("/v1/search", params={"q": "lamp"})).json()
    assert [card["product_id"] for card in body["products"]] == ["lamp"]


async def test_an_entity_tag_saves_the_body(shop: RunningEdge) -> None:
    for path in ("/v1/products/knife", "/v1/popular", "/v1/categories", "/v1/products"):
        first = await shop.get(path)
        assert first.headers["cache-control"] == "public, max-age=1, must-revalidate"
        again = await shop.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


async def test_the_general_call_passes_everything_on(shop: RunningEdge, mesh: FakeMesh) -> None:
    question = {
        "placement": "home",
        "strategy": "session",
        "visitor_id": "v1",
        "session": [{"product_id": "knife", "event": "add_to_cart", "at": "2026-01-31T08:00:00Z"}],
        "context": {"product_id": "pan", "basket": ["board"], "category": "Home", "query": "sharp"},
        "filter": "price < 50",
        "exclude": ["lamp"],
        "boost": [{"brand": "Acme", "factor": 2}],
        "limit": 2,
        "diversity": 0,
        "novelty": 0.25,
        "include": ["purchased", "out_of_stock"],
        "explain": True,
    }
    answer = await shop.client.post("/v1/recommendations", json=question)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    sent = next(q for q in mesh.reco.questions if q.visitor_id == "v1")
    assert sent.placement == "home"
    assert sent.session[0].product_id == "knife"
    assert list(sent.context.basket) == ["board"]
    assert (sent.filter, list(sent.exclude), sent.limit) == ("price < 50", ["lamp"], 2)
    assert (sent.boosts[0].brand, sent.boosts[0].factor) == ("Acme", 2.0)
    assert sent.HasField("diversity")
    assert sent.diversity == 0
    assert sent.novelty == 0.25
    assert list(sent.include) == ["out_of_stock", "purchased"]
    assert sent.explain


async def test_freshness_names_ages(shop: RunningEdge) -> None:
    entries = {e["name"]: e for e in (await shop.get("/v1/freshness")).json()["entries"]}
    assert entries["model"]["age_s"] == 12.5
    assert entries["interactions"] == {"name": "interactions", "as_of": None, "age_s": None, "note": ""}
    assert entries["cards"]["age_s"] >= 0


async def test_the_request_id_goes_down_the_mesh_and_back(shop: RunningEdge, mesh: FakeMesh) -> None:
    answer = await shop.client.post(
        "/v1/recommendations", json={"visitor_id": "v"}, headers={"X-Request-Id": "my-id-1"}
    )
    assert answer.headers["x-request-id"] == "my-id-1"
    assert "my-id-1" in mesh.reco.request_ids


async def test_a_shared_answer_is_asked_once(shop: RunningEdge, mesh: FakeMesh) -> None:
    await settled(shop)
    before = len(mesh.reco.questions)
    ids = {(await shop.get("/v1/new")).json()["recommendation_id"] for _ in range(20)}
    asked = [q for q in mesh.reco.questions[before:] if q.strategy == 9]
    assert (len(ids), len(asked)) == (1, 1)


async def test_hot_answers_are_counted_under_their_route(shop: RunningEdge) -> None:
    await settled(shop)
    for _ in range(3):
        await shop.get("/v1/products/knife")
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{shop.internal_url}/metrics")).text
    assert 'recomesh_http_total{route="/v1/products/{product_id:path}",status="200"}' in metrics


async def test_metrics_are_on_the_internal_port_only(shop: RunningEdge) -> None:
    assert (await shop.get("/metrics")).status_code == 404
    async with httpx.AsyncClient(trust_env=False) as client:
        status = (await client.get(f"{shop.internal_url}/status")).json()
    assert status["parts"] == {"recommendations": "ok", "catalog": "ok"}


async def settled(shop: RunningEdge) -> None:
    async def is_settled() -> bool:
        return not shop.edge.services.answers.settling

    await eventually(is_settled, what="answers settled")
