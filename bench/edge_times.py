"""What an answer costs the edge itself, in microseconds of its processor: `python -m bench.edge_times`.

In process: the bytes of requests in, the bytes of their answers out. Sockets, gRPC's transport and the services behind
it are stood in for, with answers that were made before; routing, key check, limits, batches, mapping, cards and JSON
are the edge's own. Every context is another. The best of many short tries counts, so a busy machine makes little of a
difference.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import grpc
import uvicorn
import uvloop
from recomesh.reco.v1 import reco_service_pb2 as svc
from uvicorn.server import ServerState

from bench.cases import CASES
from bench.open_loop import Request
from bench.shop import product_id
from edge.adapters.grpc_reco_gateway import GrpcRecoGateway
from edge.adapters.guarded_method import Upstream
from edge.adapters.redis_shared_cache import NothingShared
from edge.adapters.replica_set import ReplicaSet
from edge.app import Edge, SharedCaches
from edge.domain.card import Card
from edge.domain.ports import CatalogGateway, ProfileGateway
from edge.settings import EdgeSettings
from edge.transport.api import create_app
from meshkit import logs
from meshkit.limiting.gcra import MemoryLimiter
from meshkit.web.shedding_protocol import SheddingProtocol
from tests.support import gates

TOGETHER, ROUNDS, TRIES, PRODUCTS, ITEMS = 16, 60, 25, 10_000, 10
KINDS = ("cold", "cold_ids")


def main() -> None:
    """Prints a line for each kind of answer."""
    logs.configure("edge", format="json", level="warning")
    for case in CASES:
        if case.name in KINDS:
            print(f"{case.what}: {uvloop.run(_best_us(case.requests(PRODUCTS))):.0f} µs")


async def _best_us(requests: Iterator[Request]) -> float:
    settings = EdgeSettings(_env_file=None, edge_limit_recommend=1e8)  # type: ignore[call-arg]
    upstream = Upstream(ReplicaSet("reco", ["here"], lambda _: cast(grpc.aio.Channel, _Channel())))
    reco = GrpcRecoGateway(upstream, recommend_timeout_s=5.0, events_timeout_s=5.0)
    nothing = SharedCaches(NothingShared(), NothingShared())
    catalog, profiles = cast(CatalogGateway, _Catalog()), cast(ProfileGateway, None)
    edge = Edge(settings, catalog, reco, profiles, MemoryLimiter(), nothing, [upstream])
    app = create_app(edge.services, gates.gate(), edge.admission, max_body_bytes=1 << 20, deadline_s=5.0)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", http="httptools")
    config.load()
    connections = [_Connection(app, config) for _ in range(TOGETHER)]

    async def ask_all() -> None:
        await asyncio.gather(*(connection.ask(next(requests)) for connection in connections))

    for _ in range(10 * ROUNDS):  # every card is known then
        await ask_all()
    best_s = float("inf")
    for _ in range(TRIES):
        began = time.thread_time()
        for _ in range(ROUNDS):
            await ask_all()
        best_s = min(best_s, time.thread_time() - began)
    return best_s / ROUNDS / TOGETHER * 1e6


class _Catalog:
    """Knows every product."""

    async def cards(self, product_ids: Sequence[str]) -> Mapping[str, Card]:
        return {
            id_: Card(id_, 1, b'{"product_id":"%s","title":"%s"}' % (id_.encode(), b"x" * 300)) for id_ in product_ids
        }


class _Channel:
    """Answers every batch of questions with bytes that were made before."""

    def __init__(self) -> None:
        self._made = {number: _batch(number) for number in range(1, 65)}

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **_: object,
    ) -> Callable[..., Any]:
        async def call(request: svc.BatchRecommendRequest, **_: object) -> object:
            request_serializer(request)
            await asyncio.sleep(0)
            return response_deserializer(self._made[len(request.requests)])

        return call

    unary_stream = stream_unary = stream_stream = unary_unary


class _Connection(asyncio.Transport):
    """A client's connection: takes the bytes of an answer."""

    def __init__(self, app: Any, config: uvicorn.Config) -> None:
        super().__init__({"peername": ("127.0.0.1", 5000), "sockname": ("127.0.0.1", 8080)})
        loop = asyncio.get_running_loop()
        self._protocol = SheddingProtocol(app, config=config, server_state=ServerState(), app_state={}, _loop=loop)
        self._answered = loop.create_future()
        self._protocol.connection_made(self)

    async def ask(self, request: Request) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self._protocol.data_received(request.raw)
        answer = await self._answered
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._answered.set_result(bytes(data))

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None: ...


def _batch(number: int) -> bytes:
    rng, made = random.Random(number), svc.BatchRecommendResponse()
    for _ in range(number):
        response = made.results.add().response
        response.recommendation_id, response.model_version, response.rules_version = "r" * 22, "20261128T120000", "7"
        response.generated_at.FromSeconds(1_800_000_000)
        for position in range(1, ITEMS + 1):
            item = response.items.add(
                product_id=product_id(rng.randrange(PRODUCTS)), position=position, source="session"
            )
            item.score = 1.0 - 0.031 * position
            item.reasons.append("others_viewed:p17")
    return made.SerializeToString()


if __name__ == "__main__":
    main()
