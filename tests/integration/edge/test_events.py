"""POST /v1/events: a verdict per event, GA4 by content, idempotency."""

from typing import Any

from meshkit.product_card import money_to_float
from tests.support.edge_client import RunningEdge
from tests.support.fake_services import FakeMesh


def view(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"event_id": event_id, "type": "view_item", "visitor_id": "v1", "product_id": "knife", **fields}


async def verdicts(shop: RunningEdge, body: Any, **arguments: Any) -> list[dict[str, str]]:
    answer = await shop.client.post("/v1/events", json=body, **arguments)
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return list(answer.json()["verdicts"])


async def test_every_event_gets_its_verdict_and_a_bad_one_rejects_no_other(shop: RunningEdge, mesh: FakeMesh) -> None:
    sent = [
        view("e1"),
        view("e2", quantity=0),
        {"event_id": "e3", "type": "dance", "visitor_id": "v1", "product_id": "knife"},
        view("e1"),
        "not an object",
        view("e4", product_id=""),
        view("e5", surprise=1),
        view("e6", type="search", query="knife", product_id=""),
    ]
    found = await verdicts(shop, {"events": sent})
    assert [v["event_id"] for v in found] == ["e1", "e2", "e3", "e1", "", "e4", "e5", "e6"]
    assert [v["verdict"] for v in found] == [
        "accepted",
        "invalid",
        "invalid",
        "duplicate",
        "invalid",
        "invalid",
        "invalid",
        "accepted",
    ]
    assert "quantity" in found[1]["reason"]
    assert "type" in found[2]["reason"]
    assert found[6]["reason"] == "surprise: unknown field"
    assert "reason" not in found[0]
    assert set(mesh.reco.events) == {"e1", "e6"}


async def test_every_field_of_an_event_arrives(shop: RunningEdge, mesh: FakeMesh) -> None:
    full = view(
        "full",
        type="purchase",
        at="2026-01-31T09:00:00+01:00",
        quantity=2,
        price=19.99,
        currency="EUR",
        order_id="o1",
        recommendation_id="r1",
        position=3,
        placement="home",
        session_id="s1",
    )
    await verdicts(shop, {"events": [full]})
    event = mesh.reco.events["full"]
    assert event.at.ToJsonString() == "2026-01-31T08:00:00Z"
    assert (event.quantity, money_to_float(event.price), event.price.currency_code) == (2, 19.99, "EUR")
    assert (event.order_id, event.recommendation_id, event.position) == ("o1", "r1", 3)
    assert (event.placement, event.session_id, event.type) == ("home", "s1", 6)


async def test_a_ga4_payload_is_read_by_its_content(shop: RunningEdge, mesh: FakeMesh) -> None:
    body = {
        "client_id": "123.456",
        "timestamp_micros": 1_769_846_400_000_000,
        "events": [
            {
                "name": "purchase",
                "params": {
                    "transaction_id": "T1",
                    "currency": "EUR",
                    "value": 70,
                    "items": [
                        {"item_id": "knife", "item_list_id": "home", "index": 0, "price": 59, "quantity": 1},
                        {"item_id": "ball", "price": 5.5, "quantity": 2},
                    ],
                },
            },
            {"name": "page_view", "params": {}},
        ],
    }
    found = await verdicts(shop, body)
    assert [v["verdict"] for v in found] == ["accepted", "accepted", "invalid"]
    first, second = mesh.reco.events.values()
    assert (first.visitor_id, first.product_id, first.order_id, first.position) == ("123.456", "knife", "T1", 1)
    assert (first.placement, first.at.seconds, money_to_float(second.price)) == ("home", 1_769_846_400, 5.5)
    assert [v["verdict"] for v in await verdicts(shop, body)] == ["duplicate", "duplicate", "invalid"]


async def test_a_data_layer_push_is_read_too(shop: RunningEdge, mesh: FakeMesh) -> None:
    push = {"event": "view_item_list", "visitor_id": "v9", "ecommerce": {"items": [{"item_id": "pan", "index": 4}]}}
    assert [v["verdict"] for v in await verdicts(shop, push)] == ["accepted"]
    (event,) = mesh.reco.events.values()
    assert (event.type, event.visitor_id, event.position) == (8, "v9", 5)


async def test_a_body_without_events_is_a_400(shop: RunningEdge) -> None:
    for body in ({}, {"events": []}, {"events": {}}, [], {"events": [view("x")], "extra": 1}):
        assert (await shop.client.post("/v1/events", json=body)).status_code == 400


async def test_more_than_1000_events_are_a_400_and_1000_are_fine(shop: RunningEdge, mesh: FakeMesh) -> None:
    many = [view(f"e{n}") for n in range(1001)]
    assert (await shop.client.post("/v1/events", json={"events": many})).status_code == 400
    assert not mesh.reco.events
    assert len(await verdicts(shop, {"events": many[:1000]})) == 1000
    assert len(mesh.reco.events) == 1000


async def test_an_idempotency_key_repeats_the_answer(shop: RunningEdge, mesh: FakeMesh) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await shop.client.post("/v1/events", json={"events": [view("e1")]}, headers=key)
    again = await shop.client.post("/v1/events", json={"events": [view("e1")]}, headers=key)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = await shop.client.post("/v1/events", json={"events": [view("e2")]}, headers=key)
    assert (other.status_code, other.json()["type"].rsplit("/")[-1]) == (409, "idempotency-key-reused")


async def test_events_are_refused_whole_when_they_can_not_be_kept(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.away("reco")
    answer = await shop.client.post("/v1/events", json={"events": [view("e1")]}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    mesh.back("reco")
    again = await shop.client.post("/v1/events", json={"events": [view("e1")]}, headers={"Idempotency-Key": "k"})
    assert again.json()["verdicts"][0]["verdict"] == "accepted"
