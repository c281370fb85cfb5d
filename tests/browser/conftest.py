"""A real browser, headless, before an edge with fake services."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.support.chromium import SWITCHES, chromium
from tests.support.edge_client import RunningEdge, eventually, running_edge
from tests.support.fake_services import FakeMesh, product, serving

TITLES = ("Chef Knife", "Oak Board", "Iron Pan", "<b>Bold</b> & Co Lamp", "Rubber Ball", "Espresso Maker")


@pytest.fixture
async def mesh() -> AsyncIterator[FakeMesh]:
    fakes = FakeMesh()
    departments = ("Home > Kitchen", "Toys > Outdoor")
    fakes.stock(
        product(f"p/{n} ü", title=f"{TITLES[n % 6]} {n}", categories=[departments[n % 2]], price=5.5 + n)
        for n in range(30)
    )
    async with serving(fakes):
        yield fakes


@pytest.fixture
async def shop(mesh: FakeMesh) -> AsyncIterator[RunningEdge]:
    async with running_edge(mesh) as edge:

        async def is_ready() -> bool:
            return (await edge.get("/readyz")).status_code == 200

        await eventually(is_ready, what="the edge is ready")
        yield edge


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, headless=True, args=SWITCHES)
        yield opened
        await opened.close()


@pytest.fixture
def troubles() -> list[str]:
    """What went wrong on the page of a test; a test takes out what it brought about itself."""
    return []


@pytest.fixture
async def page(browser: Browser, shop: RunningEdge, troubles: list[str]) -> AsyncIterator[Page]:
    """A page that must stay without errors and may talk to the edge alone."""
    opened = await browser.new_page(viewport={"width": 1200, "height": 900}, locale="en-US")
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    opened.on("request", lambda sent: None if sent.url.startswith(shop.url) else troubles.append(sent.url))
    yield opened
    assert troubles == []
