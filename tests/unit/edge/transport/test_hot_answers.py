"""Ready bytes of shared answers."""

from typing import Any

import pytest

from edge.domain.card import Card
from edge.transport.hot_answers import TTL_S, HotAnswers, HotAnswersMiddleware
from meshkit.security.caller import anonymous
from meshkit.security.roles import Role, Scope
from meshkit.web.guard import CALLER, ROW


class World:
    def __init__(self) -> None:
        self.cards = {i: Card(i, 1, b"{}") for i in "ab"}
        self.epoch = 0
        self.now = 0.0
        self.asked = 0
        self.caller = anonymous(Role.PUBLIC)
        self.hot = HotAnswers(
            self.cards.get, lambda: self.epoch, max_bytes=100, clock=lambda: self.now, wall_clock=lambda: self.now
        )

    def scope(self, path: str = "/v1/popular", query: bytes = b"", **headers: str) -> dict[str, Any]:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query,
            "headers": pairs,
            CALLER: self.caller,
            ROW: Scope.RECOMMENDATIONS_READ,
        }

    async def get(self, **arguments: Any) -> tuple[int, bytes, dict[bytes, bytes]]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            self.asked += 1
            body = b"answer %d" % self.asked
            self.hot.keep(scope, body, list(self.cards.values()), epoch=self.epoch)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await HotAnswersMiddleware(app, self.hot)(self.scope(**arguments), None, send)  # type: ignore[arg-type]
        return sent[0]["status"], sent[1]["body"], dict(sent[0]["headers"])


@pytest.fixture
def world() -> World:
    return World()


async def test_the_same_url_is_answered_from_memory(world: World) -> None:
    for _ in range(3):
        status, body, _ = await world.get()
        assert (status, body) == (200, b"answer 1")
    assert (await world.get(query=b"limit=5"))[1] == b"answer 2"
    assert (await world.get(path="/v1/new"))[1] == b"answer 3"


async def test_a_kept_answer_goes_only_to_callers_with_the_scope_of_its_route(world: World) -> None:
    await world.get()
    world.caller = anonymous(None)
    assert (await world.get())[1] == b"answer 2"


async def test_an_answer_holds_only_while_its_cards_and_epoch_do(world: World) -> None:
    await world.get()
    world.cards["b"] = Card("b", 2, b"{}")
    assert (await world.get())[1] == b"answer 2"
    world.epoch += 1
    assert (await world.get())[1] == b"answer 3"
    world.now += TTL_S
    assert (await world.get())[1] == b"answer 4"
    del world.cards["a"]
    assert (await world.get())[1] == b"answer 5"


async def test_an_answer_ends_when_a_product_in_it_expires(world: World) -> None:
    world.cards["a"] = Card("a", 1, b"{}", expires_s=3.0)
    await world.get()
    world.now = 3.0
    assert (await world.get())[1] == b"answer 2"


async def test_a_known_entity_tag_saves_the_body(world: World) -> None:
    await world.get()
    _, _, headers = await world.get()
    etag = headers[b"etag"].decode()
    status, body, _ = await world.get(if_none_match=f"W/{etag}")
    assert (status, body) == (304, b"")
    assert (await world.get(if_none_match='"other"'))[0] == 200


async def test_memory_is_bounded(world: World) -> None:
    for number in range(50):
        await world.get(query=b"%d" % number)
    assert world.hot.find(world.scope(query=b"0")) is None
    assert world.hot.find(world.scope(query=b"49")) is not None
