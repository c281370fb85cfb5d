"""Products for tests of the catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from catalog_svc.adapters.sql_engine import Database, open_database
from catalog_svc.domain.model import Availability, Product

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)

FULL = Product(
    product_id="mug-1",
    title="Blue mug",
    description="Holds 0.3 l.\nDishwasher safe",
    categories=("Home > Kitchen > Mugs", "Gifts"),
    brand="Åcme",
    price=19.99,
    sale_price=9.5,
    currency="EUR",
    availability=Availability.PREORDER,
    group_id="mug",
    image_url="/img/mug.png",
    url="https://shop.example/mug",
    gtin="4006381333931",
    attributes={"color": "blue", "size": "L"},
    tags=("new", "💥"),
    created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    expires_at=datetime(2027, 1, 2, tzinfo=UTC),
    hidden=True,
)


def product(product_id: str, title: str = "", **fields: Any) -> Product:
    """A visible product without a price; the title is its id unless given."""
    return Product(product_id=product_id, title=title or product_id, **fields)


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """An empty SQLite database of its own."""
    opened = open_database(f"sqlite:///{folder / 'catalog.db'}", variable="TEST")
    yield opened
    opened.close()
