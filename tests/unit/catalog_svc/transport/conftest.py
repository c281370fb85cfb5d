"""The admin plane over memory, asked without a socket."""

import httpx
import pytest

from catalog_svc.adapters.memory_import_jobs import MemoryImportJobRepository
from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.transport.admin.app import admin_app, admin_plane
from catalog_svc.transport.admin.import_runner import ImportRunner
from catalog_svc.transport.admin.login import Login
from catalog_svc.transport.catalog import Catalog
from meshkit.health import Health
from meshkit.security.audit import Audit, MemoryAuditTrail
from meshkit.web.admin_login import AdminLogin
from tests.support.catalog import NOON
from tests.support.gates import gate

HOST = "http://catalog.test"


@pytest.fixture
def repository():
    return MemoryProductRepository()


@pytest.fixture
def health():
    return Health(["store"])


@pytest.fixture
def writes():
    return []


@pytest.fixture
def plane(repository, health, writes, tmp_path):
    catalog = Catalog(repository, clock=lambda: NOON, changed=lambda: writes.append(1))
    runner = ImportRunner(catalog, MemoryImportJobRepository(), folder=tmp_path, owner="me")
    app = admin_app(catalog, runner, health, Login(AdminLogin(gate(), "admin", "secret")))
    yield admin_plane(app, Audit(MemoryAuditTrail()), max_upload_bytes=40_000_000)
    runner.stop()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
async def stranger(plane):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(plane), base_url=HOST) as client:
        yield client


@pytest.fixture
async def admin(plane):
    transport = httpx.ASGITransport(plane)
    async with httpx.AsyncClient(transport=transport, base_url=HOST, auth=("admin", "secret")) as client:
        yield client
