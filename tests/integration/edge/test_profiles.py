"""Profiles over REST."""

from tests.support.edge_client import RunningEdge
from tests.support.fake_services import FakeMesh

EMPTY = {
    "visitor_id": "v1",
    "categories": [],
    "brands": [],
    "excluded_categories": [],
    "price_min": None,
    "price_max": None,
    "currency": "",
    "opted_out": False,
    "segments": [],
    "updated_at": None,
}


async def test_an_unknown_visitor_has_empty_preferences(shop: RunningEdge) -> None:
    answer = await shop.get("/v1/profiles/v1")
    assert answer.json() == EMPTY
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_patch_merges_the_fields_given(shop: RunningEdge, mesh: FakeMesh) -> None:
    change = {"categories": ["Home"], "price_max": 50, "currency": "EUR"}
    first = await shop.client.patch("/v1/profiles/v1", json=change)
    assert first.status_code == 200, first.text
    await shop.client.patch("/v1/profiles/v1", json={"opted_out": True})
    body = (await shop.get("/v1/profiles/v1")).json()
    assert (body["categories"], body["price_max"], body["currency"], body["opted_out"]) == (["Home"], 50.0, "EUR", True)
    assert mesh.profile.masks == [["categories", "price_max"], ["opted_out"]]
    await shop.client.patch("/v1/profiles/v1", json={"price_max": None})
    assert (await shop.get("/v1/profiles/v1")).json()["price_max"] is None


async def test_an_empty_patch_changes_nothing(shop: RunningEdge, mesh: FakeMesh) -> None:
    assert (await shop.client.patch("/v1/profiles/v1", json={})).json() == EMPTY
    assert mesh.profile.masks == []


async def test_wrong_preferences_are_a_400(shop: RunningEdge) -> None:
    for body in (
        {"price_max": 5},
        {"price_min": 9, "price_max": 5, "currency": "EUR"},
        {"price_max": -1, "currency": "EUR"},
        {"currency": "EUR"},
        {"price_max": 5, "currency": "euro"},
        {"visitor_id": "other"},
        {"segments": ["x"]},
        {"categories": ["x"] * 51},
    ):
        assert (await shop.client.patch("/v1/profiles/v1", json=body)).status_code == 400, body


async def test_an_erasure_answers_a_receipt(shop: RunningEdge, mesh: FakeMesh) -> None:
    await shop.client.patch("/v1/profiles/v1", json={"brands": ["Acme"]}, headers={"Idempotency-Key": "p"})
    receipt = (await shop.client.delete("/v1/profiles/v1")).json()
    assert receipt["receipt_id"] == "receipt-1"
    assert receipt["parts"] == [
        {"store": "profile", "what": "preferences", "count": 1, "state": "erased"},
        {"store": "reco", "what": "interactions", "count": 0, "state": "pending"},
    ]
    assert (await shop.get("/v1/profiles/v1")).json() == EMPTY


async def test_an_erasure_with_a_key_happens_once(shop: RunningEdge, mesh: FakeMesh) -> None:
    answers = [await shop.client.delete("/v1/profiles/v1", headers={"Idempotency-Key": "d"}) for _ in range(3)]
    assert {a.json()["receipt_id"] for a in answers} == {"receipt-1"}
    assert mesh.profile.erased == ["v1"]


async def test_profiles_away_are_a_503(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.away("profile")
    answer = await shop.get("/v1/profiles/v1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
