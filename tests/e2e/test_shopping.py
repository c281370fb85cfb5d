"""What a shop gets through REST: answers for any context, that react to what was just done."""

import uuid
from typing import Any

import httpx
import pytest

LISTS = [
    "/v1/popular",
    "/v1/trending",
    "/v1/new",
]


def _some(shop: httpx.Client, count: int = 5) -> list[dict[str, Any]]:
    return shop.get("/v1/products", params={"page_size": count, "filter": "in_stock = true"}).json()["products"]


def _recommend(shop: httpx.Client, **body: object) -> dict[str, Any]:
    answer = shop.post("/v1/recommendations", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _ids(answer: dict[str, Any]) -> list[str]:
    return [item["product_id"] for item in answer["items"]]


@pytest.mark.parametrize("route", LISTS)
def test_leaderboards_answer_cards_with_reasons(shop: httpx.Client, route: str) -> None:
    answer = shop.get(route, params={"limit": 6}).json()

    assert [i["position"] for i in answer["items"]] == [1, 2, 3, 4, 5, 6]
    assert all(i["product"]["title"] and i["reasons"] for i in answer["items"])
    assert answer["fallback_level"] == 0
    assert not answer["degraded"]


@pytest.mark.parametrize("relation", ["similar", "bought-together", "viewed-together"])
def test_item_to_item_never_answers_the_product_itself(shop: httpx.Client, relation: str) -> None:
    for product in _some(shop):
        ids = _ids(shop.get(f"/v1/products/{product['product_id']}/{relation}", params={"limit": 10}).json())
        assert len(ids) == 10
        assert len(set(ids)) == 10
        assert product["product_id"] not in ids


def test_similar_products_of_a_category_are_mostly_of_that_category(shop: httpx.Client) -> None:
    same = total = 0
    for product in _some(shop, 20):
        top = product["categories"][0].split(" > ")[0]
        for item in shop.get(f"/v1/products/{product['product_id']}/similar", params={"limit": 5}).json()["items"]:
            same += any(path.startswith(top) for path in item["product"]["categories"])
            total += 1
    assert same / total > 0.7


def test_the_next_answer_reacts_to_the_click_just_sent(shop: httpx.Client) -> None:
    visitor = f"v-{uuid.uuid4()}"
    before = _ids(_recommend(shop, visitor_id=visitor, limit=10))
    clicked = _some(shop, 40)[-1]["product_id"]

    event = {"event_id": str(uuid.uuid4()), "type": "view_item", "visitor_id": visitor, "product_id": clicked}
    sent = shop.post("/v1/events", json={"events": [event]})
    after = _recommend(shop, visitor_id=visitor, limit=10)

    assert sent.status_code == 202
    assert sent.json()["verdicts"] == [{"event_id": event["event_id"], "verdict": "accepted"}]
    assert _ids(after) != before
    assert any(reason.endswith(f":{clicked}") for item in after["items"] for reason in item["reasons"])


def test_filters_are_exact(shop: httpx.Client) -> None:
    answer = _recommend(shop, filter="price < 20", limit=20)
    assert answer["items"]
    assert all((i["product"].get("sale_price") or i["product"]["price"]) < 20 for i in answer["items"])


def test_a_filter_that_nothing_matches_gives_an_empty_list(shop: httpx.Client) -> None:
    assert _recommend(shop, filter='brand = "no such brand"')["items"] == []


def test_what_is_in_the_basket_or_excluded_is_not_recommended(shop: httpx.Client) -> None:
    first = _ids(_recommend(shop, strategy="popular", limit=5))
    body = {"strategy": "popular", "limit": 20, "exclude": first[:2], "context": {"basket": first[2:4]}}
    assert not set(first[:4]) & set(_ids(_recommend(shop, **body)))


def test_unknown_products_in_the_context_are_reported_not_refused(shop: httpx.Client) -> None:
    answer = _recommend(shop, context={"product_id": "nobody-knows-me"}, session=[{"product_id": "me-neither"}])
    assert set(answer["unknown_ids"]) == {"nobody-knows-me", "me-neither"}
    assert answer["items"]


def test_search_finds_by_words_and_pages_are_stable(shop: httpx.Client) -> None:
    product = _some(shop, 1)[0]
    word = max(product["title"].split(), key=len)
    found = shop.get("/v1/search", params={"q": word}).json()["products"]
    assert any(word.lower() in p["title"].lower() for p in found[:3])

    seen: list[str] = []
    token = ""
    while True:
        page = shop.get("/v1/products", params={"page_size": 100, "page_token": token}).json()
        seen += [p["product_id"] for p in page["products"]]
        token = page["next_page_token"]
        if not token:
            break
    assert len(seen) == len(set(seen)) > 300


def test_preferences_shape_answers_and_are_forgotten_on_request(shop: httpx.Client) -> None:
    visitor = f"v-{uuid.uuid4()}"
    category = shop.get("/v1/categories").json()["categories"][0]["path"]

    patched = shop.patch(f"/v1/profiles/{visitor}", json={"excluded_categories": [category]})
    assert patched.status_code == 200
    assert shop.get(f"/v1/profiles/{visitor}").json()["excluded_categories"] == [category]
    receipt = shop.delete(f"/v1/profiles/{visitor}")

    assert receipt.status_code == 200
    assert {(p["store"], p["what"]) for p in receipt.json()["parts"]} >= {("profile", "preferences")}
    assert shop.get(f"/v1/profiles/{visitor}").json()["excluded_categories"] == []


def test_a_ga4_payload_is_accepted_on_the_events_route(shop: httpx.Client) -> None:
    ids = [p["product_id"] for p in _some(shop, 2)]
    payload = {
        "client_id": f"ga-{uuid.uuid4()}",
        "events": [
            {
                "name": "purchase",
                "params": {
                    "transaction_id": f"T-{uuid.uuid4()}",
                    "currency": "EUR",
                    "items": [{"item_id": i, "quantity": 1, "price": 5.0} for i in ids],
                },
            }
        ],
    }
    answer = shop.post("/v1/events", json=payload)
    assert answer.status_code == 202, answer.text
    assert [v["verdict"] for v in answer.json()["verdicts"]] == ["accepted", "accepted"]


def test_one_bad_event_does_not_reject_the_others(shop: httpx.Client) -> None:
    product = _some(shop, 1)[0]["product_id"]
    good = {"event_id": str(uuid.uuid4()), "type": "view_item", "visitor_id": "v", "product_id": product}
    unknown = {**good, "event_id": str(uuid.uuid4()), "product_id": "not-in-the-catalog"}
    late = {**good, "event_id": str(uuid.uuid4()), "at": "2001-01-01T00:00:00Z"}
    bad = {**good, "event_id": str(uuid.uuid4()), "quantity": -4}
    sent = shop.post("/v1/events", json={"events": [good, good, unknown, late, bad]})
    assert sent.status_code == 202
    verdicts = [v["verdict"] for v in sent.json()["verdicts"]]
    assert verdicts == ["accepted", "duplicate", "unknown_product", "late", "invalid"]


def test_freshness_tells_the_age_of_everything(shop: httpx.Client) -> None:
    entries = {e["name"]: e for e in shop.get("/v1/freshness").json()["entries"]}
    assert {"catalog", "model", "index", "popularity"} <= set(entries)
    assert all(e["age_s"] >= 0 for e in entries.values() if e["name"] in ("catalog", "model"))
