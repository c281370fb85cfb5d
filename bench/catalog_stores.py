"""The stores of the catalog side by side: `python -m bench.catalog_stores [PRODUCTS]`.

Each store is new and on this machine: SQLite in a folder, PostgreSQL and MongoDB's wire protocol (mongod, else FerretDB
over that PostgreSQL) as the tests start them, so PostgreSQL does not wait for the disk. Ratios compare with SQLite.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from catalog_svc.app import open_stores
from catalog_svc.domain.model import Product
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.settings import CatalogSettings
from tests.support.mongo_server import MongoServer
from tests.support.servers import PostgresServer, started

BATCH, SINGLES, READS = 250, 30, 60
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def products(count: int) -> list[Product]:
    """A made-up shop."""
    return [
        Product(
            f"p{n:06}",
            f"Mug number {n}",
            description="Holds tea, coffee and " + "much more, " * 20,
            categories=("Home > Kitchen > Mugs",),
            brand=f"Brand {n % 40}",
            price=5.0 + n % 90,
            currency="EUR",
            attributes={"color": ("red", "blue", "green")[n % 3]},
        )
        for n in range(count)
    ]


def measure(repository: ProductRepository, shop: list[Product]) -> dict[str, float]:
    """Products a second, or median milliseconds, by what was done."""
    batches = [shop[start : start + BATCH] for start in range(0, len(shop), BATCH)]
    changed = [replace(p, price=1.0) for p in batches[0]]
    return {
        "create, products/s": len(shop) / _seconds(lambda: [repository.upsert(b, NOW) for b in batches]),
        "update, products/s": len(changed) / _seconds(lambda: repository.upsert(changed, NOW)),
        "update one, ms": _median_ms(lambda n: repository.upsert([replace(shop[n], price=2.0)], NOW), SINGLES),
        "get one, ms": _median_ms(lambda n: repository.get([shop[n * 7 % len(shop)].product_id]), READS),
        "get 50, ms": _median_ms(lambda n: repository.get([p.product_id for p in shop[n : n + 50]]), 20),
        "page of 50, ms": _median_ms(
            lambda n: repository.page(None, visible_at=NOW, after_id=shop[n * 20].product_id, limit=50), 20
        ),
        "search, ms": _median_ms(lambda n: repository.search([str(n), "mug"], None, visible_at=NOW, limit=10), 20),
        "changes of 50, ms": _median_ms(lambda n: repository.changes(len(shop) - 60, 50), 20),
    }


def main() -> None:
    """Prints one table."""
    shop = products(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
    settings = CatalogSettings(catalog_mongo_timeout_s=120)
    results: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        postgres = stack.enter_context(started(PostgresServer()))
        assert isinstance(postgres, PostgresServer)
        mongo = stack.enter_context(started(MongoServer(postgres)))
        assert isinstance(mongo, MongoServer)
        urls = {
            "SQLite": f"sqlite:///{Path(folder) / 'catalog.db'}",
            "PostgreSQL": postgres.new_database(),
            "MongoDB" if mongo.mongod else "FerretDB": mongo.new_database(),
        }
        for name, url in urls.items():
            repository = open_stores(url, settings).products
            stack.callback(repository.close)
            repository.prepare()
            results[name] = measure(repository, shop)
    _print(results, len(shop))


def _print(results: dict[str, dict[str, float]], count: int) -> None:
    base = results["SQLite"]
    print(f"{f'{count:,} products':<22}" + "".join(f"{name:>22}" for name in results))
    for what, reference in base.items():
        cells = (f"{row[what]:>12,.2f} ({row[what] / reference:>6.2f}x)" for row in results.values())
        print(f"{what:<22}" + "".join(cells))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median_ms(work: Callable[[int], object], times: int) -> float:
    return statistics.median(_seconds(lambda n=n: work(n)) for n in range(times)) * 1_000  # type: ignore[misc]


if __name__ == "__main__":
    main()
