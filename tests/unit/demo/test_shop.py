from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from recomesh.catalog.v1 import catalog_pb2
from recomesh.reco.v1 import reco_pb2

from demo.assortment import BRANDS, kinds
from demo.shelf import build_shelf
from demo.shop import demo_interactions, demo_products
from demo.visits import planted_pairs, trending_ids

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def products() -> list[catalog_pb2.Product]:
    return demo_products(NOW)


@pytest.fixture(scope="module")
def events() -> list[reco_pb2.Interaction]:
    return list(demo_interactions(NOW))


def test_the_shop_is_the_same_in_every_run(
    products: list[catalog_pb2.Product], events: list[reco_pb2.Interaction]
) -> None:
    assert demo_products(NOW) == products
    assert list(demo_interactions(NOW)) == events
    assert list(demo_interactions(NOW, seed=8)) != events


def test_products_do_not_depend_on_the_clock_but_for_their_age(products: list[catalog_pb2.Product]) -> None:
    later = demo_products(NOW + timedelta(days=10))
    for product in (*later, *(one := [catalog_pb2.Product.FromString(p.SerializeToString()) for p in products])):
        product.ClearField("created_at")
    assert later == one


def test_the_shop_is_made_quickly() -> None:
    start = time.process_time()
    demo_products(NOW)
    assert sum(1 for _ in demo_interactions(NOW)) > 0
    assert time.process_time() - start < 3


def test_products_keep_the_limits_of_the_contract(products: list[catalog_pb2.Product]) -> None:
    assert 450 <= len(products) <= 510
    assert len({product.product_id for product in products}) == len(products)
    for product in products:
        assert re.fullmatch(r"[a-z0-9-]{1,128}", product.product_id)
        assert 10 <= len(product.title) <= 500
        assert 80 <= len(product.description) <= 20_000
        assert product.price.units >= 0
        assert product.price.currency_code == "EUR"
        assert product.availability != catalog_pb2.AVAILABILITY_UNSPECIFIED
        assert product.image_url == f"/shop/images/{product.product_id}.svg"
        assert product.created_at.ToDatetime(UTC) < NOW
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", key) for key in product.attributes)
        if product.HasField("sale_price"):
            assert product.sale_price.currency_code == "EUR"
            assert (product.sale_price.units, product.sale_price.nanos) < (product.price.units, product.price.nanos)


def test_the_shelf_is_as_varied_as_a_shop(products: list[catalog_pb2.Product]) -> None:
    departments = {product.categories[0].split(" > ")[0] for product in products}
    assert departments == set(BRANDS)
    assert all(product.categories[0].count(" > ") == 2 for product in products)
    assert len({product.title for product in products}) > 0.98 * len(products)
    groups = Counter(product.group_id for product in products if product.group_id)
    assert len(groups) > 100
    assert set(groups.values()) <= {2, 3}
    availability = Counter(product.availability for product in products)
    assert availability[catalog_pb2.AVAILABILITY_IN_STOCK] > 0.85 * len(products)
    assert availability[catalog_pb2.AVAILABILITY_OUT_OF_STOCK] >= 5
    assert sum(product.HasField("sale_price") for product in products) > 30
    assert sum("new" in product.tags for product in products) > 10


def test_every_companion_is_a_kind() -> None:
    names = {kind.name for kind in kinds()}
    assert len(names) == len(kinds())
    assert all(companion in names for kind in kinds() for companion in kind.companions)


def test_events_keep_the_limits_of_the_contract(
    products: list[catalog_pb2.Product], events: list[reco_pb2.Interaction]
) -> None:
    created = {product.product_id: product.created_at.seconds for product in products}
    assert len({event.event_id for event in events}) == len(events)
    times = [event.at.seconds for event in events]
    assert times == sorted(times)
    assert times[-1] <= NOW.timestamp()
    assert times[0] >= (NOW - timedelta(days=92)).timestamp()
    for event in events:
        assert created[event.product_id] <= event.at.seconds
        if event.type in (reco_pb2.EVENT_TYPE_PURCHASE, reco_pb2.EVENT_TYPE_REFUND):
            assert event.order_id
            assert event.quantity == 1
            assert event.price.currency_code == "EUR"


def test_there_are_as_many_events_as_promised(events: list[reco_pb2.Interaction]) -> None:
    assert 25_000 <= len(events) <= 35_000
    assert len({event.session_id for event in events}) == 4_000
    assert len({event.visitor_id for event in events}) == 2_500
    kinds_of_events = Counter(event.type for event in events)
    assert kinds_of_events[reco_pb2.EVENT_TYPE_VIEW_ITEM] > kinds_of_events[reco_pb2.EVENT_TYPE_ADD_TO_CART]
    assert kinds_of_events[reco_pb2.EVENT_TYPE_ADD_TO_CART] > kinds_of_events[reco_pb2.EVENT_TYPE_PURCHASE] > 1_500
    assert kinds_of_events[reco_pb2.EVENT_TYPE_REMOVE_FROM_CART] >= 10
    assert kinds_of_events[reco_pb2.EVENT_TYPE_REFUND] >= 10


def test_accessories_are_bought_with_their_product(events: list[reco_pb2.Interaction]) -> None:
    pairs = planted_pairs(build_shelf(NOW))
    orders: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.type == reco_pb2.EVENT_TYPE_PURCHASE:
            orders[event.order_id].add(event.product_id)
    bought = Counter(product_id for order in orders.values() for product_id in order)
    together = Counter((a, b) for order in orders.values() for a, b in pairs if a in order and b in order)
    lifts = [
        together[a, b] * len(orders) / (bought[a] * bought[b]) for a, b in pairs if bought[a] >= 8 and bought[b] >= 8
    ]
    assert len(lifts) > 30
    assert sum(lift > 3 for lift in lifts) >= 0.95 * len(lifts)


def test_sessions_stay_in_their_theme(events: list[reco_pb2.Interaction]) -> None:
    department = {item.product.product_id: item.kind.department for item in build_shelf(NOW)}
    sessions: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.type == reco_pb2.EVENT_TYPE_VIEW_ITEM:
            sessions[event.session_id].append(department[event.product_id])
    steps = [a == b for seen in sessions.values() for a, b in pairwise(seen)]
    assert sum(steps) / len(steps) > 0.8


def test_few_products_draw_most_views(events: list[reco_pb2.Interaction]) -> None:
    views = Counter(event.product_id for event in events if event.type == reco_pb2.EVENT_TYPE_VIEW_ITEM)
    top = sum(count for _, count in views.most_common(len(views) // 5))
    assert top / views.total() > 0.5


def test_trending_products_rise_in_the_last_days(events: list[reco_pb2.Interaction]) -> None:
    trending = trending_ids(build_shelf(NOW))
    edge = (NOW - timedelta(days=6)).timestamp()
    recent = [event.product_id in trending for event in events if event.at.seconds >= edge]
    before = [event.product_id in trending for event in events if event.at.seconds < edge]
    assert sum(recent) / len(recent) > 4 * sum(before) / len(before)
