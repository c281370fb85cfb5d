"""The demo shop: about 480 invented products and 30,000 invented events.

Everything here is synthetic, made by code from a seed; no product, brand, visitor or order is real.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from recomesh.catalog.v1 import catalog_pb2
from recomesh.reco.v1 import reco_pb2

from demo.shelf import build_shelf
from demo.visits import build_visits


def demo_products(now: datetime) -> list[catalog_pb2.Product]:
    """The synthetic products, the same in every run; `created_at` lies up to 420 days before `now` (aware)."""
    return [item.product for item in build_shelf(now)]


def demo_interactions(now: datetime, seed: int = 7) -> Iterator[reco_pb2.Interaction]:
    """The synthetic events of the 90 days before `now` (aware), by time, in about 2 s.

    The same `now` and seed give the same events, ids included: telling them twice changes nothing.
    """
    return build_visits(build_shelf(now), now, seed)
