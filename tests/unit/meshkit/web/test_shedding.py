"""Under overload a plane refuses with 503 and Retry-After before anything is spent on a request."""

import httpx
import pytest

from meshkit.errors import Overloaded
from meshkit.resilience.admission import Admission, Priority
from meshkit.web.shedding import SheddingMiddleware


async def answer(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def priority(path: str) -> Priority:
    return Priority.ADMIN if path == "/docs" else Priority.SHOPPER


@pytest.fixture
def admission() -> Admission:
    return Admission(most=4)


@pytest.fixture
def client(admission) -> httpx.AsyncClient:
    app = SheddingMiddleware(answer, admission, priority)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge")


async def test_what_there_is_no_room_for_is_a_problem_with_retry_after(client, admission):
    held = [admission.admitted(Priority.SHOPPER) for _ in range(4)]
    for one in held:
        one.__enter__()
    refused = await client.get("/v1/popular")
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["type"].endswith("/overloaded")
    assert (await client.get("/livez")).status_code == 200
    for one in held:
        one.__exit__(None, None, None)
    assert (await client.get("/v1/popular")).text == "/v1/popular"


async def test_pages_for_developers_go_first(client, admission):
    with admission.admitted(Priority.SHOPPER):
        assert (await client.get("/docs")).status_code == 503
        assert (await client.get("/v1/popular")).status_code == 200


async def test_an_application_that_says_overloaded_is_told_alike(admission):
    async def overloaded(scope, receive, send) -> None:
        raise Overloaded("reco")

    transport = httpx.ASGITransport(SheddingMiddleware(overloaded, admission, priority))
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        assert (await client.get("/v1/popular")).status_code == 503
