"""An edge over fake services, stocked with a few products."""

from collections.abc import AsyncIterator

import pytest

from tests.support.edge_client import RunningEdge, eventually, running_edge
from tests.support.fake_services import FakeMesh, product, serving

STOCK = (
    product("knife", title="Chef Knife", categories=["Home > Kitchen > Knives"], price=59.0),
    product("board", title="Oak Cutting Board", categories=["Home > Kitchen"], price=29.5),
    product("pan", title="Iron Pan", categories=["Home > Kitchen"], price=45.0),
    product("lamp", title="Bedside Lamp", categories=["Home > Bedroom"], price=80.0),
    product("ball", title="Ball", categories=["Toys"], price=5.0),
)


@pytest.fixture
async def mesh() -> AsyncIterator[FakeMesh]:
    fakes = FakeMesh()
    fakes.stock(STOCK)
    async with serving(fakes):
        yield fakes


@pytest.fixture
async def shop(mesh: FakeMesh) -> AsyncIterator[RunningEdge]:
    async with running_edge(mesh) as edge:
        await ready(edge)
        yield edge


async def ready(edge: RunningEdge) -> None:
    async def is_ready() -> bool:
        return (await edge.get("/readyz")).status_code == 200

    await eventually(is_ready, what="the edge is ready")
