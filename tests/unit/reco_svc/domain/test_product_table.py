from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_svc.domain.model import Availability, Product, ProductChange
from reco_svc.domain.product_table import ProductTable, top_k

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def product(product_id: str, **facts: object) -> Product:
    return Product(**{"product_id": product_id, "title": f"Title of {product_id}", **facts})  # type: ignore[arg-type]


def table_of(*products: Product) -> ProductTable:
    table = ProductTable()
    table.load(products, revision=1)
    return table


def upsert(table: ProductTable, revision: int, *products: Product) -> list[int]:
    return table.apply([ProductChange(revision, p.product_id, p) for p in products]).tolist()


def shown(table: ProductTable, at: datetime = NOON, *include: str) -> set[str]:
    return {table.id(row) for row in np.flatnonzero(table.visible(at.timestamp(), include))}


def test_a_product_comes_back_as_it_was_given():
    full = Product(
        product_id="a",
        title="Mug",
        description="White mug",
        categories=("Home > Kitchen", "Gifts"),
        brand="Acme",
        price=19.99,
        currency="EUR",
        availability=Availability.PREORDER,
        group_id="g",
        gtin="4006381333931",
        attributes={"color": "white"},
        tags=("new", "sale"),
        created_at=NOON,
        expires_at=NOON + timedelta(microseconds=1),
        hidden=True,
        revision=7,
    )
    assert table_of(full).product(0) == full
    assert table_of(product("b")).product(0) == product("b")


def test_rows_keep_the_order_of_loading_and_later_products_follow():
    table = table_of(product("c"), product("a"))
    assert upsert(table, 2, product("b"), product("a", brand="Acme")) == [2, 1]
    assert [table.id(row) for row in range(len(table))] == ["c", "a", "b"]
    assert table.brand_name(int(table.brand[1])) == "Acme"
    assert table.revision == 2


def test_a_deleted_product_leaves_a_tombstone_and_gets_its_row_back():
    table = table_of(product("a"), product("b"))
    table.apply([ProductChange(2, "a", None)])
    assert table.row("a") == -1
    assert shown(table) == {"b"}
    with pytest.raises(LookupError):
        table.product(0)
    assert upsert(table, 3, product("a")) == [0]
    assert shown(table) == {"a", "b"}


def test_a_change_older_than_its_row_is_ignored():
    table = table_of(product("a"))
    upsert(table, 5, product("a", title="new"))
    table.apply([ProductChange(4, "a", None)])
    assert table.product(0).title == "new"
    assert table.revision == 5


def test_hidden_expired_and_sold_out_products_are_not_visible():
    table = table_of(
        product("hidden", hidden=True),
        product("expired", expires_at=NOON),
        product("fresh", expires_at=NOON + timedelta(seconds=1)),
        product("sold_out", availability=Availability.OUT_OF_STOCK),
        product("backorder", availability=Availability.BACKORDER),
    )
    assert shown(table) == {"fresh", "backorder"}
    assert shown(table, NOON, "out_of_stock") == {"fresh", "backorder", "sold_out"}
    assert shown(table, NOON + timedelta(seconds=1)) == {"backorder"}
    assert shown(table, NOON - timedelta(seconds=1)) == {"fresh", "backorder", "expired"}


def test_visibility_is_remembered_until_an_expiry_or_a_change():
    table = table_of(product("a", expires_at=NOON), product("b"))
    before = table.visible(NOON.timestamp() - 60, ())
    assert table.visible(NOON.timestamp() - 1, ()) is before
    assert shown(table, NOON) == {"b"}
    upsert(table, 2, product("b", hidden=True))
    assert shown(table, NOON) == set()


def test_a_category_holds_what_is_below_it_whatever_the_case():
    table = table_of(
        product("a", categories=("Home > Kitchen > Knives",)),
        product("b", categories=("Gifts", "home>kitchen")),
        product("c", categories=("Home > Kitchenware",)),
        product("d"),
    )
    assert table.in_category("HOME > kitchen").tolist() == [True, True, False, False]
    assert table.in_category("Kitchen").tolist() == [False, False, False, False]
    assert table.in_category("nowhere").tolist() == [False] * 4
    upsert(table, 2, product("d", categories=("Home > Kitchen",)), product("a"))
    assert table.in_category("HOME > kitchen").tolist() == [False, True, False, True]


def test_masks_are_read_only_and_bounded():
    table = ProductTable(mask_bytes=1)
    table.load([product("a")], 1)
    for number in range(100):
        mask = table.in_category(f"c{number}")
    assert len(table._masks) == 8
    with pytest.raises(ValueError):
        mask[0] = True


def test_an_empty_table_has_empty_columns_and_masks():
    table = ProductTable()
    assert len(table.price) == len(table.visible(0.0, ())) == len(table.in_category("x")) == 0
    assert table.rows_by_id.tolist() == []
    assert top_k(np.empty(0, np.float32), np.empty(0, np.int64), 10, table).tolist() == []


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=3), unique=True, max_size=40),
    st.integers(0, 40),
)
def test_rows_stay_in_order_of_ids_while_products_are_appended(ids: list[str], cut: int):
    table = table_of(*map(product, ids[:cut]))
    assert [table.id(row) for row in table.rows_by_id] == sorted(ids[:cut])
    upsert(table, 2, *map(product, ids[cut:]))
    assert [table.id(row) for row in table.rows_by_id] == sorted(ids)
    assert table.id_rank[table.rows_by_id].tolist() == list(range(len(ids)))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.text("abc", min_size=1, max_size=4)), unique_by=lambda pair: pair[1]),
    st.integers(0, 12),
)
def test_top_k_is_a_sort_by_score_then_id(pairs: list[tuple[int, str]], k: int):
    table = table_of(*(product(id_) for _, id_ in pairs))
    scores = np.array([score for score, _ in pairs], np.float32)
    order = top_k(scores, np.arange(len(pairs)), k, table)
    expected = sorted(range(len(pairs)), key=lambda i: (-pairs[i][0], pairs[i][1]))
    assert order.tolist() == expected[:k]
