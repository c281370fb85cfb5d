"""A whole edge in this process, over real sockets, with fake services behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import httpx

from bench.ports import free_ports
from edge.app import Edge, open_edge
from edge.settings import EdgeSettings
from edge.transport.api import create_app
from edge.transport.internal import create_internal_app
from meshkit.security.gate import Gate
from meshkit.web.planes import serve_asgi
from meshkit.web.shedding_protocol import SheddingProtocol
from tests.support import gates
from tests.support.fake_services import FakeMesh

T = TypeVar("T")
PATIENT = {"edge_deadline_s": 10.0, "edge_reco_timeout_s": 5.0, "edge_catalog_timeout_s": 5.0}


@dataclass
class RunningEdge:
    """The edge, a client of its public port, and its address."""

    edge: Edge
    client: httpx.AsyncClient
    url: str
    internal_url: str

    async def get(self, path: str, **arguments: Any) -> httpx.Response:
        return await self.client.get(path, **arguments)

    async def ids(self, path: str) -> list[str]:
        """Product ids of an answer that recommends."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return [item["product_id"] for item in answer.json()["items"]]


@asynccontextmanager
async def running_edge(mesh: FakeMesh, *, gate: Gate | None = None, **settings: object) -> AsyncIterator[RunningEdge]:
    """Serves an edge over `mesh`; ready unless a part of the mesh is away. Patient: the machine may be busy."""
    gate = gate or gates.gate()
    port, internal_port = free_ports(2)
    targets = {f"{name}_target": target for name, target in mesh.targets.items()}
    chosen = EdgeSettings(_env_file=None, **{**PATIENT, **targets, **settings})  # type: ignore[arg-type]
    url = f"http://127.0.0.1:{port}"
    async with open_edge(chosen) as edge:
        app = create_app(
            edge.services,
            gate,
            edge.admission,
            max_body_bytes=chosen.edge_max_body_bytes,
            deadline_s=chosen.edge_deadline_s,
        )
        internal = create_internal_app(edge.health, gate, edge.status)
        stop = asyncio.Event()
        async with (
            serve_asgi(internal, "127.0.0.1", internal_port, drain_s=1),
            serve_asgi(app, "127.0.0.1", port, drain_s=1, protocol=partial(SheddingProtocol, app)),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client,
        ):
            background = asyncio.create_task(edge.run(stop))
            try:
                yield RunningEdge(edge, client, url, f"http://127.0.0.1:{internal_port}")
            finally:
                stop.set()
                await background


async def eventually(check: Callable[[], Awaitable[T]], *, within_s: float = 5.0, what: str = "") -> T:
    """The first true value of `check`; AssertionError when none comes in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        value = await check()
        if value:
            return value
        assert loop.time() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.02)
