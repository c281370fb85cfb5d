"""One running mesh with the demo shop for all end-to-end tests of a worker, and small clients for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.mesh import Mesh, private_mesh
from tests.support.processes import wait_until


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with private_mesh(tmp_path_factory.mktemp("home"), demo=True, worker_embedder="lsa") as running:
        yield running


@pytest.fixture(scope="session")
def shop(mesh: Mesh) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{mesh.port}", timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def catalog_admin(mesh: Mesh) -> Iterator[httpx.Client]:
    password = (Path(mesh.settings.home) / "admin_password").read_text().strip()
    base = f"http://127.0.0.1:{mesh.settings.catalog_admin_port}"
    with httpx.Client(base_url=base, auth=("admin", password), timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    return wait_until
