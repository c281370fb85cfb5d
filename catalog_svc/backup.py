"""The composition root of `recomesh backup` and `restore` for the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from catalog_svc.app import open_stores
from catalog_svc.service.backup import CatalogBackup
from catalog_svc.settings import CatalogSettings
from meshkit.backup.port import BackedUp
from meshkit.settings import MeshSettings, load


@contextmanager
def opened(settings: MeshSettings) -> Iterator[BackedUp]:
    """The catalog's store, made ready. Unavailable when it is away."""
    products = open_stores(settings.catalog_url or settings.sqlite_url("catalog.db"), load(CatalogSettings)).products
    try:
        products.prepare()
        yield CatalogBackup(products)
    finally:
        products.close()
