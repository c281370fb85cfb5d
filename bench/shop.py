"""A shop of any size for measurements: the demo shop's products multiplied, with Zipf traffic. Synthetic."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from recomesh.catalog.v1 import catalog_pb2
from recomesh.reco.v1 import reco_pb2

from demo.shop import demo_products

SEED = 11
SESSION_LENGTH = 6


def products(count: int, now: datetime) -> Iterator[catalog_pb2.Product]:
    """`count` products with ids p000000 …; every one is sellable and no two are variants of each other."""
    rng = np.random.default_rng(SEED)
    models = demo_products(now)
    for number, model in zip(range(count), itertools.cycle(models), strict=False):
        product = catalog_pb2.Product()
        product.CopyFrom(model)
        product.product_id = product_id(number)
        product.title = f"{model.title} {number // len(models)}" if number >= len(models) else model.title
        product.group_id = ""
        product.availability = catalog_pb2.AVAILABILITY_IN_STOCK
        product.ClearField("expires_at")
        product.hidden = False
        product.price.units = max(1, round(product.price.units * rng.uniform(0.6, 1.6)))
        product.ClearField("sale_price")
        yield product


def product_id(number: int) -> str:
    """The id of product `number`."""
    return f"p{number:06d}"


def interactions(
    count: int, catalog_size: int, now: datetime, id_of: Callable[[int], str] = product_id
) -> Iterator[reco_pb2.Interaction]:
    """`count` events in sessions of neighbouring products, popularity Zipf(1.0), over the 60 days before `now`."""
    rng = np.random.default_rng(SEED)
    anchors = zipf(catalog_size, count // SESSION_LENGTH + 1)
    steps = rng.geometric(0.2, size=(len(anchors), SESSION_LENGTH)) - 1
    for session, anchor in enumerate(anchors):
        began = now - timedelta(days=60) * float(rng.random()) - timedelta(hours=1)
        for place in range(SESSION_LENGTH):
            event = reco_pb2.Interaction(
                event_id=f"bench-{session}-{place}",
                visitor_id=f"v{session % max(1, len(anchors) // 3)}",
                session_id=f"s{session}",
                product_id=id_of(int((anchor + 7 * steps[session, place]) % catalog_size)),
                type=reco_pb2.EVENT_TYPE_PURCHASE if place == SESSION_LENGTH - 1 else reco_pb2.EVENT_TYPE_VIEW_ITEM,
                at=_stamp(began + timedelta(minutes=place)),
            )
            yield event


def zipf(catalog_size: int, count: int, seed: int = SEED) -> list[int]:
    """`count` product numbers, Zipf(1.0) over the catalog."""
    weights = 1.0 / np.arange(1, catalog_size + 1)
    drawn = np.random.default_rng(seed).choice(catalog_size, size=count, p=weights / weights.sum())
    return [int(n) for n in drawn]


def _stamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
