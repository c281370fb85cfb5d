from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reco_svc.adapters.stored_products import StoredProducts, write_products
from reco_svc.domain.model import Availability, Product

PRODUCTS = [
    Product("a", "Mug\nwith a break", categories=("Home > Mugs", "Gifts"), price=4.5, attributes={"colour": "red"}),
    Product(
        "b", "Ölkanne", tags=("new",), availability=Availability.PREORDER, expires_at=datetime(2027, 1, 1, tzinfo=UTC)
    ),
    Product("c", "", hidden=True, revision=7),
]


def test_products_come_back_as_they_were_as_often_as_asked(tmp_path: Path) -> None:
    write_products(tmp_path / "products", PRODUCTS)
    stored = StoredProducts(tmp_path / "products")
    assert len(stored) == 3
    assert list(stored) == PRODUCTS
    assert list(stored) == PRODUCTS
    assert stored[1] == PRODUCTS[1]
    assert stored[-1] == PRODUCTS[2]
    assert stored[:2] == PRODUCTS[:2]
    assert stored[::-1] == PRODUCTS[::-1]
    with pytest.raises(IndexError):
        stored[3]


def test_products_stay_readable_after_their_snapshot_was_pruned(tmp_path: Path) -> None:
    write_products(tmp_path / "products", PRODUCTS)
    stored = StoredProducts(tmp_path / "products")
    (tmp_path / "products").unlink()
    assert list(stored) == PRODUCTS


def test_an_empty_shop_has_no_products(tmp_path: Path) -> None:
    write_products(tmp_path / "products", [])
    assert list(StoredProducts(tmp_path / "products")) == []
