"""What a handler sees of a request that does not go through the framework, and what it answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from edge.transport import render
from edge.transport.direct_routes import DirectRoutesMiddleware, Handler
from meshkit.security.caller import anonymous
from meshkit.security.roles import Role
from meshkit.web.guard import CALLER

PATH = "/v1/recommendations"
Asked = Callable[[Handler, list[dict[str, Any]]], Awaitable[bytes]]


@pytest.fixture
def asked() -> Asked:
    async def ask(handler: Handler, messages: list[dict[str, Any]]) -> bytes:
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], CALLER: anonymous(Role.SHOP)}
        await DirectRoutesMiddleware(None, {("POST", PATH): handler})(scope, receive, send)
        body: bytes = sent[1]["body"]
        return body

    return ask


async def echo(request: Request) -> Response:
    return Response(await request.body() + b"|" + await request.body())


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_is_read_once_and_given_again(asked: Asked) -> None:
    assert await asked(echo, [part(b"whole", more=False)]) == b"whole|whole"


async def test_a_body_may_come_in_parts(asked: Asked) -> None:
    parts = [part(b"one ", more=True), {"type": "http.request", "more_body": True}, part(b"two", more=False)]
    assert await asked(echo, parts) == b"one two|one two"


async def test_a_body_may_be_empty(asked: Asked) -> None:
    assert await asked(echo, [{"type": "http.request"}]) == b"|"


@pytest.mark.parametrize("before", [[], [part(b"one ", more=True)]])
async def test_a_client_that_leaves_before_its_body_was_whole_is_noticed(
    asked: Asked, before: list[dict[str, Any]]
) -> None:
    with pytest.raises(ClientDisconnect):
        await asked(echo, [*before, {"type": "http.disconnect"}])


@pytest.mark.parametrize(
    ("degraded", "age_s", "marks"),
    [
        (False, None, {}),
        (True, None, {"recomesh-degraded": "true"}),
        (True, 7.6, {"recomesh-degraded": "true", "age": "8"}),
    ],
)
def test_a_private_answer_has_the_headers_that_starlette_would_give_it(
    degraded: bool, age_s: float | None, marks: dict[str, str]
) -> None:
    made = render.PrivateResponse(b"{}", degraded=degraded, age_s=age_s)
    usual = Response(b"{}", headers={"cache-control": render.PRIVATE, **marks}, media_type=render.JSON)
    assert made.raw_headers == usual.raw_headers
    assert (made.status_code, made.body, made.background) == (200, b"{}", None)
