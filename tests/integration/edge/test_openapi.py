"""The OpenAPI document: complete, and its examples work as they stand."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from edge.transport.examples import OTHER_PRODUCT_ID, PRODUCT_ID
from tests.integration.edge.conftest import STOCK, ready
from tests.support.edge_client import RunningEdge, running_edge
from tests.support.fake_services import FakeMesh, product, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROUTES = {
    "/v1/products/{product_id}": {"get"},
    "/v1/products": {"get"},
    "/v1/categories": {"get"},
    "/v1/search": {"get"},
    "/v1/products/{product_id}/similar": {"get"},
    "/v1/products/{product_id}/bought-together": {"get"},
    "/v1/products/{product_id}/viewed-together": {"get"},
    "/v1/popular": {"get"},
    "/v1/trending": {"get"},
    "/v1/new": {"get"},
    "/v1/recommendations": {"post"},
    "/v1/recommendations/{recommendation_id}": {"get"},
    "/v1/recommendations/{recommendation_id}/explanation": {"get"},
    "/v1/pages": {"post"},
    "/v1/events": {"post"},
    "/v1/profiles/{visitor_id}": {"get", "patch", "delete"},
    "/v1/freshness": {"get"},
    "/livez": {"get"},
    "/readyz": {"get"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[RunningEdge]:
    fakes = FakeMesh()
    fakes.stock([*STOCK, product(PRODUCT_ID), product(OTHER_PRODUCT_ID)])
    async with serving(fakes), running_edge(fakes) as edge:
        await ready(edge)
        yield edge


async def document(shop: RunningEdge) -> dict[str, Any]:
    return dict((await shop.get("/openapi.json")).json())


async def test_every_route_is_described(shop: RunningEdge) -> None:
    paths = (await document(shop))["paths"]
    assert {path: set(methods) for path, methods in paths.items()} == ROUTES


async def test_every_reference_leads_somewhere(shop: RunningEdge) -> None:
    held = await document(shop)
    references = list(references_in(held))
    assert len(references) > 50
    for reference in references:
        node: Any = held
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


async def test_every_example_works_as_it_stands(shop: RunningEdge) -> None:
    sent = 0
    for path, methods in (await document(shop))["paths"].items():
        for method, operation in methods.items():
            for url, body in requests_of(path, operation):
                answer = await shop.client.request(method, url, json=body)
                sent += 1
                assert answer.status_code < 300, (method, url, body, answer.text)
                assert str(answer.status_code) in operation["responses"]
                assert "invalid" not in answer.text
    assert sent > len(ROUTES)


async def test_errors_are_described_as_problems(shop: RunningEdge) -> None:
    for methods in (await document(shop))["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                assert status != "422"
                if status in ("400", "404", "409", "413"):
                    assert list(answer["content"]) == ["application/problem+json"]


def requests_of(path: str, operation: dict[str, Any]) -> list[tuple[str, Any]]:
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        example = (schema.get("examples") or parameter.get("examples") or [None])[0]
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(example))
        elif parameter["required"]:
            path += f"?{parameter['name']}={example}"
    content = operation.get("requestBody", {}).get("content", {})
    examples = content.get("application/json", {}).get("examples", {})
    return [(path, example["value"]) for example in examples.values()] or [(path, None)]


def references_in(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return found + [one for value in node.values() for one in references_in(value)]
    return [one for value in node for one in references_in(value)] if isinstance(node, list) else []
