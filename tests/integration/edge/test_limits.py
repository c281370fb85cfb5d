"""Rate limits of a whole edge: who is one client, what is told, what is never limited."""

from typing import Any

from meshkit.security.roles import Role
from reco_svc.domain.model import EventType
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import HourlyCount
from tests.integration.edge.conftest import ready
from tests.support import gates
from tests.support.edge_client import RunningEdge, eventually, running_edge
from tests.support.fake_services import FakeMesh
from tests.support.servers import RedisServer

LIMITED: dict[str, Any] = {"edge_limit_exempt": "", "edge_limit_read": 30, "edge_limit_recommend": 30}
BEHIND_A_PROXY: dict[str, Any] = {**LIMITED, "edge_trusted_proxies": "127.0.0.1"}


def view(number: int, product_id: str = "knife") -> dict[str, Any]:
    return {"event_id": f"e{number}", "type": "view_item", "visitor_id": f"v{number}", "product_id": product_id}


async def statuses(edge: RunningEdge, path: str, times: int, **headers: str) -> list[int]:
    return [(await edge.get(path, headers=headers)).status_code for _ in range(times)]


async def test_this_machine_has_no_limit_by_default(shop: RunningEdge) -> None:
    answer = await shop.get("/v1/products/knife")

    assert "ratelimit" not in answer.headers


async def test_what_is_over_the_limit_is_refused_and_told_when_to_come_again(mesh: FakeMesh) -> None:
    async with running_edge(mesh, **LIMITED) as edge:
        await ready(edge)
        first = await edge.get("/v1/products/knife")
        assert first.headers["ratelimit-policy"] == '"read";q=5;w=10'
        assert first.headers["ratelimit"] == '"read";r=4;t=2'
        assert await statuses(edge, "/v1/products/knife", 4) == [200] * 4  # from ready bytes, limited all the same

        refused = await edge.get("/v1/products/knife")

        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] in ("1", "2")
        assert refused.headers["ratelimit"].startswith('"read";r=0;t=')
        assert refused.json()["type"].endswith("/rate-limited")
        assert "more than 5 read in 10 s" in refused.json()["detail"]
        assert (await edge.get("/v1/popular")).status_code == 200  # a class of its own
        assert await statuses(edge, "/readyz", 20) == [200] * 20


async def test_a_key_has_limits_of_its_own_wherever_it_comes_from(mesh: FakeMesh) -> None:
    keys = gates.Keys()
    one, other = keys.make(Role.SHOP), keys.make(Role.SHOP)
    settings = {**LIMITED, "edge_limit_exempt": "127.0.0.0/8", "edge_limit_key_factor": 0.5, "edge_limit_read": 24}
    async with running_edge(mesh, gate=gates.gate(keys), **settings) as edge:
        await ready(edge)
        for key in (one, other):
            found = await statuses(edge, "/v1/products/knife", 3, authorization=f"Bearer {key}")
            assert found == [200, 200, 429]
        assert await statuses(edge, "/v1/products/knife", 10) == [200] * 10


async def test_clients_behind_a_trusted_proxy_are_told_apart_and_can_not_pose_as_others(mesh: FakeMesh) -> None:
    async with running_edge(mesh, **BEHIND_A_PROXY) as edge:
        await ready(edge)
        mine = [f"198.51.100.{n}, 203.0.113.9" for n in range(6)]  # what stands first the client made up
        found = [(await edge.get("/v1/popular", headers={"x-forwarded-for": line})).status_code for line in mine]

        assert found == [200] * 5 + [429]
        assert await statuses(edge, "/v1/popular", 1, **{"x-forwarded-for": "203.0.113.10"}) == [200]


async def test_without_a_trusted_proxy_the_header_changes_nothing(mesh: FakeMesh) -> None:
    async with running_edge(mesh, **LIMITED) as edge:
        await ready(edge)
        lines = [f"203.0.113.{n}" for n in range(6)]
        found = [(await edge.get("/v1/popular", headers={"x-forwarded-for": line})).status_code for line in lines]

        assert found[-1] == 429


async def test_events_are_counted_one_by_one_and_refused_whole(mesh: FakeMesh) -> None:
    async with running_edge(mesh, **LIMITED, edge_limit_events=60) as edge:
        await ready(edge)
        eight = await edge.client.post("/v1/events", json={"events": [view(n) for n in range(8)]})
        assert eight.status_code == 202
        assert eight.headers["ratelimit"].startswith('"events";r=2;')

        four = await edge.client.post("/v1/events", json={"events": [view(n) for n in range(8, 12)]})

        assert four.status_code == 429
        assert int(four.headers["retry-after"]) >= 1
        assert sum(mesh.reco.event_batches) == 8


async def test_who_guesses_keys_is_slowed_down_and_others_are_not(mesh: FakeMesh) -> None:
    keys = gates.Keys()
    good = keys.make(Role.SHOP)
    settings = {**BEHIND_A_PROXY, "edge_limit_auth_failures": 3}
    async with running_edge(mesh, gate=gates.gate(keys), **settings) as edge:
        await ready(edge)
        guess = {"authorization": "Bearer rk_guess_" + "a" * 40, "x-forwarded-for": "203.0.113.66"}
        assert await statuses(edge, "/v1/popular", 5, **guess) == [401] * 3 + [429] * 2
        # even a good key is not looked at from there: an answer would tell that it is good
        assert await statuses(edge, "/v1/popular", 1, **{**guess, "authorization": f"Bearer {good}"}) == [429]

        other = {"authorization": f"Bearer {good}", "x-forwarded-for": "203.0.113.67"}
        assert await statuses(edge, "/v1/popular", 1, **other) == [200]


async def test_ten_thousand_events_of_one_address_or_visitor_do_not_change_the_top_ten_and_a_crowd_does(
    mesh: FakeMesh,
) -> None:
    keys = gates.Keys()
    shop = {"authorization": f"Bearer {keys.make(Role.SHOP)}"}
    settings = {**BEHIND_A_PROXY, "edge_limit_events": 0}
    async with running_edge(mesh, gate=gates.gate(keys), **settings) as edge:
        await ready(edge)

        async def accepted(events: list[dict[str, Any]], headers: dict[str, str]) -> int:
            answer = await edge.client.post("/v1/events", json={"events": events}, headers=headers)
            assert answer.status_code == 202, answer.text
            return [v["verdict"] for v in answer.json()["verdicts"]].count("accepted")

        flood = [[view(n + i, "flooded") for i in range(1000)] for n in range(0, 10_000, 1000)]
        of_address = sum([await accepted(events, {"x-forwarded-for": "203.0.113.66"}) for events in flood])
        one_visitor = [
            [
                {**event, "event_id": f"b-{event['event_id']}", "visitor_id": "b", "product_id": "botted"}
                for event in events
            ]
            for events in flood
        ]
        of_visitor = sum([await accepted(events, shop) for events in one_visitor])
        crowd = [(view(20_000 + n, "wanted"), {"x-forwarded-for": f"198.51.{n}.1"}) for n in range(160)]
        of_crowd = sum([await accepted([event], headers) for event, headers in crowd])

    assert (of_address, of_visitor, of_crowd) == (60, 30, 160)
    usual = {f"p{n}": 100 + n for n in range(10)}
    assert set(top_ten({**usual, "flooded": of_address, "botted": of_visitor})) == set(usual)
    assert top_ten({**usual, "wanted": of_crowd})[0] == "wanted"


def top_ten(views: dict[str, int]) -> list[str]:
    """As the recommender's leaderboard ranks products that were viewed so often this hour."""
    popularity, rows = Popularity(), {product_id: row for row, product_id in enumerate(views)}
    counts = [HourlyCount(i, EventType.VIEW_ITEM, 500_000, n, rows[i] + 1) for i, n in views.items()]
    popularity.apply(counts, rows.__getitem__)
    scores = popularity.popular(len(rows), 500_000 * 3600.0)
    return sorted(rows, key=lambda product_id: -scores[rows[product_id]])[:10]


async def test_two_edges_share_their_limits_through_redis(mesh: FakeMesh, redis_server: RedisServer) -> None:
    settings = {**BEHIND_A_PROXY, "edge_limit_recommend": 30, "cache_url": redis_server.url}
    client = {"x-forwarded-for": "203.0.113.201"}
    async with running_edge(mesh, **settings) as one, running_edge(mesh, **settings) as other:
        await ready(one)
        await ready(other)
        assert await statuses(one, "/v1/popular", 5, **client) == [200] * 5
        let_through = 0

        async def refused() -> bool:
            nonlocal let_through
            status = (await statuses(other, "/v1/popular", 1, **client))[0]
            let_through += status == 200
            return status == 429

        await eventually(refused, what="the other edge hears of it")
        assert let_through < 5  # before it was told, and what came back meanwhile
