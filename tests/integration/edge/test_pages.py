"""Several placements of one page, the same answer again, and why."""

import asyncio

import pytest

from meshkit.errors import Unavailable
from tests.support.edge_client import RunningEdge
from tests.support.fake_services import FakeMesh

PAGE = {
    "visitor_id": "v1",
    "context": {"product_id": "knife"},
    "placements": [
        {"placement": "first", "strategy": "similar", "limit": 2},
        {"placement": "second", "limit": 2, "novelty": 0.5},
    ],
}


async def test_no_product_is_in_two_lists_and_each_is_full(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.reco.ranking = ["board", "pan", "lamp", "ball"]
    answer = await shop.client.post("/v1/pages", json=PAGE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    first, second = answer.json()["placements"]
    assert (first["placement"], [item["product_id"] for item in first["items"]]) == ("first", ["board", "pan"])
    assert (second["placement"], [item["product_id"] for item in second["items"]]) == ("second", ["lamp", "ball"])
    assert [item["position"] for item in second["items"]] == [1, 2]
    assert first["items"][0]["product"]["title"] == "Oak Cutting Board"
    assert first["recommendation_id"] != second["recommendation_id"]


async def test_all_placements_share_one_call_and_the_context(shop: RunningEdge, mesh: FakeMesh) -> None:
    before = len(mesh.reco.batches)
    await shop.client.post("/v1/pages?fields=product_id", json=PAGE)
    assert mesh.reco.batches[before:] == [2]
    asked = mesh.reco.questions[-2:]
    assert [(q.placement, q.limit, q.visitor_id, q.context.product_id) for q in asked] == [
        ("first", 2, "v1", "knife"),
        ("second", 4, "v1", "knife"),
    ]
    assert asked[1].novelty == 0.5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"placements": []}, "placements"),
        ({"placements": [{"placement": "a"}, {"placement": "a"}]}, "body"),
        ({"placements": [{"placement": "a", "limit": 60}, {"placement": "b", "limit": 41}]}, "body"),
        ({"placements": [{"placement": ""}]}, "placements[0].placement"),
        ({"placements": [{"placement": "a"}, {"placement": "b", "filter": "price <"}]}, "placements[1].filter"),
        ({"placements": [{"placement": "a", "limits": 3}]}, "placements[0].limits"),
    ],
)
async def test_a_wrong_page_is_told_by_its_field(shop: RunningEdge, change: dict[str, object], field: str) -> None:
    answer = await shop.client.post("/v1/pages", json={**PAGE, **change})
    assert answer.status_code == 400, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_a_page_is_answered_from_memory_while_the_recommender_is_away(shop: RunningEdge, mesh: FakeMesh) -> None:
    mesh.reco.trouble.error = Unavailable("reco")
    answer = await shop.client.post("/v1/pages", json=PAGE)
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["placements"]
    assert first["degraded"]
    shown = [item["product_id"] for item in (*first["items"], *second["items"])]
    assert len(set(shown)) == len(shown) > 0


async def test_an_answer_is_given_again_with_cards(shop: RunningEdge) -> None:
    answer = await shop.get("/v1/recommendations/rec-77")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    told = answer.json()
    assert told["recommendation_id"] == "rec-77"
    assert len(told["items"]) == 3
    assert told["items"][0]["product"]["product_id"] == told["items"][0]["product_id"]
    bare = (await shop.get("/v1/recommendations/rec-77?fields=product_id")).json()
    assert "product" not in bare["items"][0]


async def test_an_answer_says_why_a_product_is_not_in_it(shop: RunningEdge) -> None:
    answer = await shop.get("/v1/recommendations/rec-77/explanation?product_id=lamp")
    assert answer.json() == {
        "position": 0,
        "opinions": [{"source": "similar", "score": 0.5, "rank": 2}],
        "removed_by": "below_limit",
        "reasons": [],
    }


@pytest.mark.parametrize("path", ["/v1/recommendations/gone", "/v1/recommendations/gone/explanation?product_id=lamp"])
async def test_an_answer_that_left_the_log_is_not_found(shop: RunningEdge, path: str) -> None:
    answer = await shop.get(path)
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("recommendation-not-found")


async def test_an_explanation_needs_a_product(shop: RunningEdge) -> None:
    answer = await shop.get("/v1/recommendations/rec-77/explanation")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "product_id"


async def test_many_pages_at_once_are_each_without_repeats(shop: RunningEdge) -> None:
    pages = [{**PAGE, "visitor_id": f"v{at}"} for at in range(20)]
    answers = await asyncio.gather(*(shop.client.post("/v1/pages?fields=product_id", json=page) for page in pages))
    for answer in answers:
        shown = [item["product_id"] for one in answer.json()["placements"] for item in one["items"]]
        assert len(set(shown)) == len(shown)
