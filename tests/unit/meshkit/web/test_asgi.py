"""What happens around every request of an ASGI plane, without a socket."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from meshkit.web.asgi import RequestContextMiddleware
from meshkit.web.fastapi_problems import install_problems


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)

    @app.post("/length")
    async def length(request: Request) -> Response:
        return Response(str(len(await request.body())))

    @app.get("/bug")
    async def bug() -> Response:
        raise KeyError("a secret detail")

    transport = httpx.ASGITransport(RequestContextMiddleware(app, max_body_bytes=10), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


async def test_a_body_within_the_cap_is_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/length", content=b"0123456789")).text == "10"


@pytest.mark.parametrize("length", ["11", "9" * 5000])
async def test_a_length_over_the_cap_is_a_413(client: httpx.AsyncClient, length: str) -> None:
    answer = await client.post("/length", content=b"", headers={"content-length": length})
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("body-too-large")


async def test_a_body_without_a_length_is_capped_too(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"01234"

    answer = await client.post("/length", content=chunks())
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_a_bug_is_a_bare_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/bug")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.json()["trace_id"] == answer.headers["x-request-id"]
