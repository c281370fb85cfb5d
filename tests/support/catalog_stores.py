"""Every store of the catalog, empty, for the suites that run over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalog_svc.adapters.memory_import_jobs import MemoryImportJobRepository
from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.adapters.memory_relay_cursor import MemoryRelayCursor
from catalog_svc.app import CatalogStores, open_stores
from catalog_svc.settings import CatalogSettings
from meshkit.errors import Unavailable

SERVERS = {"postgresql": "postgres", "mongodb": "mongo"}  # kind of store to the fixture that starts its server
KINDS = ("memory", "sqlite", *SERVERS)
PATIENT = CatalogSettings(catalog_mongo_timeout_s=30, database_statement_timeout_s=30)  # a busy machine is no outage


@dataclass(frozen=True)
class StorePlace:
    """An empty store that any number of replicas open, each as a process of its own would."""

    url: str
    server: object = None

    @contextmanager
    def replica(self, settings: CatalogSettings = PATIENT) -> Iterator[CatalogStores]:
        """Opened and prepared."""
        stores = open_stores(self.url, settings)
        try:
            for _ in range(20):  # as a catalog does at its start: a busy machine may keep a first connection waiting
                with suppress(Unavailable):
                    stores.products.prepare()
                    break
            else:
                stores.products.prepare()
            yield stores
        finally:
            stores.products.close()


def store_place(kind: str, request: pytest.FixtureRequest, folder: Path) -> StorePlace:
    """A new store of a kind, on a server of this worker."""
    if kind == "sqlite":
        return StorePlace(f"sqlite:///{folder / 'catalog.db'}")
    server = request.getfixturevalue(SERVERS[kind])
    return StorePlace(server.new_database(), server)


@contextmanager
def new_stores(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[CatalogStores]:
    """A store of a kind in `KINDS`, opened and prepared."""
    if kind == "memory":
        yield CatalogStores(MemoryProductRepository(), MemoryRelayCursor(), MemoryImportJobRepository())
        return
    with store_place(kind, request, folder).replica() as stores:
        yield stores
