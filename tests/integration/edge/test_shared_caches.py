"""Two edges with one Redis between them: what one read the other need not, and nothing old is ever shown."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis.asyncio

from edge.adapters.cache_metrics import stats_of
from meshkit.redis.link import CALLS
from tests.integration.edge.conftest import ready
from tests.support.edge_client import RunningEdge, eventually, running_edge
from tests.support.fake_services import FakeMesh, product
from tests.support.servers import RedisServer, started


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    with started(server):
        yield server


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[Any]:
    client = redis.asyncio.Redis.from_url(server.url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
async def two(mesh: FakeMesh, server: RedisServer, store: Any) -> AsyncIterator[tuple[RunningEdge, RunningEdge]]:
    async with running_edge(mesh, cache_url=server.url) as one, running_edge(mesh, cache_url=server.url) as other:
        await ready(one)
        await ready(other)
        yield one, other


async def is_shared(store: Any, key: str) -> None:
    async def there() -> bool:
        return bool(await store.exists(key))

    await eventually(there, what=f"{key} is shared")


async def test_a_card_that_one_edge_read_the_other_takes_from_redis(
    two: tuple[RunningEdge, RunningEdge], mesh: FakeMesh, store: Any
) -> None:
    one, other = two
    await store.delete("recomesh:cards:lamp")
    mesh.catalog.put(product("lamp", title="Lamp"))
    await eventually(lambda: _title_is(one, "lamp", "Lamp"), what="the change is seen")
    for edge in two:
        edge.edge._held_cards.drop("lamp")
    await store.delete("recomesh:cards:lamp")
    assert await _title_is(one, "lamp", "Lamp")
    await is_shared(store, "recomesh:cards:lamp")
    asked, hits = len(mesh.catalog.calls), stats_of("cards", "redis").hits
    other.edge._held_cards.drop("lamp")

    assert await _title_is(other, "lamp", "Lamp")

    assert stats_of("cards", "redis").hits == hits + 1
    assert "BatchGetProducts" not in mesh.catalog.calls[asked:]
    assert 0 < await store.ttl("recomesh:cards:lamp") <= 300


async def test_an_old_entry_is_never_shown_after_a_change_however_it_got_there(
    two: tuple[RunningEdge, RunningEdge], mesh: FakeMesh, store: Any
) -> None:
    one, _ = two
    assert await _title_is(one, "knife", "Chef Knife")
    one.edge._held_cards.drop("knife")
    assert await _title_is(one, "knife", "Chef Knife")
    await is_shared(store, "recomesh:cards:knife")
    old = await store.get("recomesh:cards:knife")
    mesh.catalog.put(product("knife", title="Better Knife"))
    for edge in two:
        await eventually(lambda edge=edge: _title_is(edge, "knife", "Better Knife"), within_s=2.0, what="within 2 s")

    await store.set("recomesh:cards:knife", old)  # a slow writer, or a Redis that was away and came back
    for edge in two:
        edge.edge._held_cards.drop("knife")
        assert await _title_is(edge, "knife", "Better Knife")


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x80\x04pickle", b"[]", b"[1,99,0,[]]", b'[1,99,0,["knife",1,"{",false,false,null]]', b"[2,9,0,[]]"],
)
async def test_a_value_that_is_not_ours_is_a_miss(
    two: tuple[RunningEdge, RunningEdge], store: Any, garbage: bytes
) -> None:
    one, _ = two
    one.edge._held_cards.drop("knife")
    await store.set("recomesh:cards:knife", garbage)

    assert await _title_is(one, "knife", "Chef Knife")


async def test_answers_are_shared_and_end_for_all_when_a_product_sells_out(
    two: tuple[RunningEdge, RunningEdge], mesh: FakeMesh, store: Any
) -> None:
    one, other = two
    for edge in two:
        await eventually(lambda edge=edge: _settled(edge), what="settled after the start")
    assert "knife" in await one.ids("/v1/products/pan/similar")

    async def shared() -> bool:
        return bool(await store.keys("recomesh:answers:*"))

    await eventually(shared, what="the answer is shared")
    hits = stats_of("answers", "redis").hits
    await other.ids("/v1/products/pan/similar")
    assert stats_of("answers", "redis").hits == hits + 1

    mesh.catalog.put(product("knife", availability=2))
    for edge in two:

        async def gone(edge: RunningEdge = edge) -> bool:
            return "knife" not in await edge.ids("/v1/products/pan/similar")

        await eventually(gone, within_s=2.0, what="sold out within 2 s")


async def test_a_frozen_redis_delays_nobody_for_long(two: tuple[RunningEdge, RunningEdge], server: RedisServer) -> None:
    one, _ = two
    failed = CALLS.labels("failed")._value
    before = failed.get()
    server.freeze()
    try:
        for _ in range(20):
            one.edge._held_cards.drop("knife")
            assert await _title_is(one, "knife", "Chef Knife")
        assert 1 <= failed.get() - before <= 4  # the first, and what both edges asked in the background just then
    finally:
        server.thaw()


async def test_the_status_page_tells_of_every_cache(two: tuple[RunningEdge, RunningEdge]) -> None:
    one, _ = two
    await one.get("/v1/products/knife")
    status = (await one.client.get(f"{one.internal_url}/status")).json()

    assert {"hit_ratio", "hits", "misses", "evictions", "age_s"} == set(status["caches"]["cards in memory"])
    assert status["redis"] in ("in use", "away")
    assert "recomesh_cache_reads_total" in (await one.client.get(f"{one.internal_url}/metrics")).text


async def _title_is(edge: RunningEdge, product_id: str, title: str) -> bool:
    answer = await edge.get(f"/v1/products/{product_id}")
    return answer.status_code == 200 and answer.json()["title"] == title


async def _settled(edge: RunningEdge) -> bool:
    return not edge.edge.services.answers.settling
