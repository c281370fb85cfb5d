"""Wrong requests: a problem that names the field, never a 5xx."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.integration.edge.conftest import STOCK, ready
from tests.support.edge_client import RunningEdge, running_edge
from tests.support.fake_services import FakeMesh, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
POSTS = ("/v1/recommendations", "/v1/events")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[RunningEdge]:
    """One edge for all: nothing here changes anything."""
    fakes = FakeMesh()
    fakes.stock(STOCK)
    async with serving(fakes), running_edge(fakes) as edge:
        await ready(edge)
        yield edge


def is_problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["trace_id"] == answer.headers["x-request-id"]
    assert set(body) == {"type", "title", "status", "detail", "errors", "trace_id"}
    return dict(body)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"visitor_id": "\xff\xfe"}',
        b'{"limit": NaN}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b'{"limit": 1e999}',
        b'{"visitor_id": "\\ud800"}',
    ],
    ids=["empty", "cut", "not utf-8", "nan", "deep list", "deep object", "too large a number", "lone surrogate"],
)
async def test_a_body_that_is_not_json_is_a_400(shop: RunningEdge, path: str, body: bytes) -> None:
    answer = await shop.client.post(path, content=body, headers={"content-type": "application/json"})
    assert is_problem(answer, 400)["errors"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"limit": 0}, "limit"),
        ({"limit": 10**9}, "limit"),
        ({"limit": 10**30}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"limit": True}, "limit"),
        ({"surprise": 1}, "surprise"),
        ({"context": {"baskets": []}}, "context.baskets"),
        ({"context": {"basket": ["x"] * 101}}, "context.basket"),
        ({"context": {"product_id": "x" * 129}}, "context.product_id"),
        ({"context": {"product_id": "ü" * 65}}, "context.product_id"),
        ({"visitor_id": "a\u0000b"}, "visitor_id"),
        ({"session": [{"product_id": "a"}, {"product_id": ""}]}, "session[1].product_id"),
        ({"session": [{"product_id": "a", "at": "yesterday"}]}, "session[0].at"),
        ({"session": [{"product_id": "a", "at": "2026-01-31T08:00:00"}]}, "session[0].at"),
        ({"session": [{"product_id": "a", "at": "0001-01-01T00:00:00+14:00"}]}, "session[0].at"),
        ({"session": [{"product_id": "a", "at": 5}]}, "session[0].at"),
        ({"strategy": "magic"}, "strategy"),
        ({"boost": [{"factor": 2}]}, "boost[0]"),
        ({"boost": [{"brand": "a", "tag": "b", "factor": 2}]}, "boost[0]"),
        ({"boost": [{"brand": "a", "factor": 0}]}, "boost[0].factor"),
        ({"diversity": 1.5}, "diversity"),
        ({"novelty": -0.1}, "novelty"),
        ({"exclude": ["x"] * 1001}, "exclude"),
        ({"filter": "x" * 2001}, "filter"),
        ({"include": ["hidden"]}, "include[0]"),
        ({"context": {"query": "poison"}}, "context.query"),
    ],
)
async def test_a_wrong_field_is_named(shop: RunningEdge, body: object, field: str) -> None:
    answer = await shop.client.post("/v1/recommendations", json=body)
    errors = is_problem(answer, 400)["errors"]
    assert field in [error["field"] for error in errors]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/popular?limit=0", "limit"),
        ("/v1/popular?limit=1000000000", "limit"),
        ("/v1/popular?limit=-1", "limit"),
        ("/v1/popular?limit=ten", "limit"),
        ("/v1/popular?limits=5", "limits"),
        ("/v1/popular?include=hidden", "include.0"),
        ("/v1/products?page_size=0", "page_size"),
        ("/v1/products?page_size=1000000000", "page_size"),
        ("/v1/products/knife?fields=product_id", "fields"),
        ("/v1/search", "q"),
        ("/v1/search?q=", "q"),
        ("/v1/search?q=%20", "q"),
        ("/v1/search?q=" + "x" * 501, "q"),
        ("/v1/products/" + "x" * 129, "product_id"),
        ("/v1/products/a%00b/similar", "product_id"),
    ],
)
async def test_a_wrong_parameter_is_named(shop: RunningEdge, path: str, field: str) -> None:
    errors = is_problem(await shop.get(path), 400)["errors"]
    assert [error["field"] for error in errors] == [field]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/v1/popular", "/v1/products", "/v1/search?q=x"])
async def test_a_filter_that_does_not_parse_points_at_the_column(shop: RunningEdge, path: str) -> None:
    answer = await shop.client.get(path, params={**httpx.URL(path).params, "filter": "price <"})
    body = is_problem(answer, 400)
    assert str(body["type"]).endswith("filter-syntax")
    assert "column" in json.dumps(body["errors"])


async def test_a_huge_body_is_a_413(shop: RunningEdge) -> None:
    for path in POSTS:
        is_problem(await shop.client.post(path, content=b" " * (3 * 1024 * 1024)), 413)


async def test_a_huge_body_without_a_length_is_a_413(shop: RunningEdge) -> None:
    async def chunks():  # type: ignore[no-untyped-def]
        for _ in range(40):
            yield b" " * 65_536

    is_problem(await shop.client.post("/v1/events", content=chunks()), 413)


async def test_other_media_types_are_a_415(shop: RunningEdge) -> None:
    answer = await shop.client.post("/v1/events", content=b"{}", headers={"content-type": "text/plain"})
    is_problem(answer, 415)


async def test_an_unknown_route_is_a_404_and_a_wrong_method_a_405(shop: RunningEdge) -> None:
    is_problem(await shop.get("/v2/anything"), 404)
    is_problem(await shop.get("/shop/../settings.py"), 404)
    answer = await shop.client.post("/v1/popular")
    is_problem(answer, 405)
    assert "GET" in answer.headers["allow"]
    is_problem(await shop.client.put("/v1/products/knife"), 405)


@pytest.mark.parametrize("raw", ["/v1/products/%ff%fe", "/v1/products/%ff/similar", "/v1/search?q=%ff%fe", "/%00"])
async def test_paths_that_are_not_utf8_are_no_server_error(shop: RunningEdge, raw: str) -> None:
    assert (await shop.get(raw)).status_code < 500
