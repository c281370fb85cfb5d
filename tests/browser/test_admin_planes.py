"""The admin planes of catalog and profiles in a real browser: log in, change something, log out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bench.ports import free_ports
from catalog_svc.adapters.memory_import_jobs import MemoryImportJobRepository
from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.transport.admin.app import admin_app as catalog_app
from catalog_svc.transport.admin.app import admin_plane
from catalog_svc.transport.admin.import_runner import ImportRunner
from catalog_svc.transport.admin.login import Login
from catalog_svc.transport.catalog import Catalog
from meshkit.health import Health
from meshkit.security.roles import Role
from meshkit.web.admin_login import AdminLogin
from meshkit.web.planes import serve_asgi, serve_wsgi
from meshkit.web.wsgi import with_request_context
from profile_svc.domain.model import Preferences
from profile_svc.transport.admin.app import admin_app as profile_app
from tests.support.catalog import NOON
from tests.support.gates import Keys, gate
from tests.support.profiles import profile_world


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that no script error may happen on."""
    opened = await browser.new_page(locale="en-US")
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    yield opened
    assert troubles == []


@asynccontextmanager
async def catalog(keys: Keys, folder: Path, repository: MemoryProductRepository) -> AsyncIterator[str]:
    runner = ImportRunner(Catalog(repository), MemoryImportJobRepository(), folder=folder, owner="me")
    products = Catalog(repository, clock=lambda: NOON)
    over = gate(keys)
    app = catalog_app(products, runner, Health([]), Login(AdminLogin(over, "admin", "secret")))
    port = free_ports(1)[0]
    async with serve_asgi(admin_plane(app, over.audit, max_upload_bytes=1_000_000), "127.0.0.1", port, drain_s=1):
        yield f"http://127.0.0.1:{port}"
    runner.stop()


@asynccontextmanager
async def profiles(keys: Keys, world: Any) -> AsyncIterator[str]:
    app = profile_app(world.do, AdminLogin(gate(keys), "admin", "secret"), Health([]))
    port = free_ports(1)[0]
    async with serve_wsgi(with_request_context(app), "127.0.0.1", port, drain_s=1):
        yield f"http://127.0.0.1:{port}"


async def log_in(page: Page, password: str, name: str = "admin") -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password or API key").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def test_the_administrator_adds_a_product(page: Page, keys: Keys, tmp_path: Path) -> None:
    repository = MemoryProductRepository()
    async with catalog(keys, tmp_path, repository) as url:
        await page.goto(f"{url}/product/new")
        await log_in(page, "guess")
        await expect(page.get_by_role("alert")).to_have_text("the name, password or key is wrong")
        await log_in(page, "secret")
        await expect(page.locator("h1")).to_have_text("New product")  # where the person wanted to go
        await page.get_by_label("Product id").fill("mug")
        await page.get_by_label("Title").fill("Blue mug")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("status")).to_have_text("Saved.")
        assert repository.get(["mug"])["mug"].title == "Blue mug"
        assert await page.evaluate("document.cookie") == ""
        (cookie,) = await page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        await page.get_by_role("button", name="Log out").click()
        await page.goto(url)
        await expect(page.locator("h1")).to_have_text("Log in")
    assert [(e.actor, e.action, e.outcome) for e in reversed(keys.trail.latest(10))] == [
        ("unknown", "catalog-admin.post", "refused"),
        ("admin:admin", "catalog-admin.post", "done"),
        ("admin:admin", "catalog-admin.post", "done"),
        ("unknown", "catalog-admin.post", "done"),
    ]


async def test_a_key_logs_in_and_sees_its_part(page: Page, keys: Keys) -> None:
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    key = keys.make(Role.OPERATOR)
    async with profiles(keys, world) as url:
        await page.goto(f"{url}/visitor?id=v1")
        await log_in(page, key, name="")
        await expect(page.get_by_label("Liked brands")).to_have_value("Acme")
        await page.get_by_label("Liked brands").fill("Umbra")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("status")).to_have_text("Saved.")
        assert world.do.read("v1").brands == ("Umbra",)
        await page.get_by_role("link", name="Segments").click()
        await page.get_by_role("link", name="New segment").click()
        await page.get_by_label("Name").fill("umbra")
        await page.get_by_label("Filter").fill('brands:"Umbra"')
        await expect(page.locator("#verdict")).to_contain_text("Matches 1")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        page.on("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name="Delete").click()
        await expect(page.locator(".empty")).to_be_visible()
        keys.manage.revoke(key[3:15], by="test")
        keys.ring.refresh()
        await page.goto(f"{url}/segments")
        await expect(page.locator("h1")).to_have_text("Log in")
