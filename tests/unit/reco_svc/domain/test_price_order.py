from __future__ import annotations

import numpy as np
import pytest

from reco_svc.domain import price_order
from reco_svc.domain.model import ProductChange
from reco_svc.domain.price_order import PriceOrders
from reco_svc.domain.product_table import ProductTable
from tests.support.reco_fakes import product

NOBODY = np.zeros(1, np.float32)
PRICES = [5.0, None, 1.0, 3.0, 3.0, 100.0]


def table_of(prices: list[float | None]) -> ProductTable:
    table = ProductTable()
    table.load([product(f"p{at}", price=price, brand="Acme") for at, price in enumerate(prices)], 1)
    return table


def near(table: ProductTable, price: float | None, k: int, **given: np.ndarray) -> list[int]:
    allowed = given.get("allowed", np.ones(len(table), np.bool_))
    log_price = None if price is None else float(np.log(price))
    order = table.brand_by_price(0)
    return order.near(log_price, k, allowed, table.leaf, given.get("liked", NOBODY)).tolist()


def test_rows_come_in_order_of_how_near_their_price_is_and_unknown_prices_last():
    table = table_of(PRICES)
    assert table.brand_by_price(0).rows.tolist() == [2, 3, 4, 0, 5, 1]
    assert near(table, 3.1, 6) == [4, 3, 0, 2, 5, 1]
    assert near(table, 0.1, 3) == [2, 3, 4]
    assert near(table, 1e6, 2) == [5, 0]
    assert sorted(near(table, None, 6)) == [0, 1, 2, 3, 4, 5]


def test_only_allowed_rows_are_found_and_none_of_an_unknown_brand():
    table = table_of(PRICES)
    assert near(table, 3.0, 2, allowed=np.array([True, True, False, False, True, True])) == [4, 0]
    assert table.brand_by_price(7).near(1.0, 3, np.ones(6, np.bool_), table.leaf, NOBODY).tolist() == []


def test_those_that_are_liked_for_another_reason_too_are_looked_for_further_away():
    table = ProductTable()
    table.load([product(f"p{at}", price=1.0 + at, brand="Acme", categories=(f"C{at % 3}",)) for at in range(9)], 1)
    liked = np.array([0.0, 0.0, 1.0, 0.0], np.float32)  # of C2
    assert near(table, 1.0, 2, liked=liked) == [0, 1, 2, 5]


def test_no_more_steps_are_taken_than_there_are_to_take(monkeypatch: pytest.MonkeyPatch):
    table = table_of([float(at + 1) for at in range(3 * price_order.STEPS)])
    allowed = np.zeros(len(table), np.bool_)
    allowed[[price_order.STEPS - 1, price_order.STEPS]] = True
    assert near(table, 0.5, 5, allowed=allowed) == [price_order.STEPS - 1]


def test_products_that_changed_are_found_until_the_order_is_made_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(price_order, "MOST_LATE", 2)
    table = table_of(PRICES)
    before = table.brand_by_price(0)
    table.apply([ProductChange(2, "p9", product("p9", price=3.0, brand="Acme"))])
    followed = table.brand_by_price(0)
    assert followed.rows is before.rows
    assert near(table, 3.0, 1) == [4, 6] or near(table, 3.0, 1) == [3, 6]
    for revision, name in enumerate(("p7", "p8"), start=3):
        table.apply([ProductChange(revision, name, product(name, price=4.0, brand="Acme"))])
    again = table.brand_by_price(0)
    assert not len(again.late)
    assert sorted(again.rows.tolist()) == list(range(9))


def test_the_order_used_longest_ago_is_forgotten_first():
    table = table_of(PRICES)
    orders = PriceOrders(table._journal, budget_bytes=8 * 2 * len(PRICES))
    made: list[str] = []

    def order(key: str) -> None:
        orders.get(key, lambda: made.append(key) or np.ones(len(table), np.bool_), table.price)

    for key in "ababca":
        order(key)
    assert made == ["a", "b", "c", "a"]
