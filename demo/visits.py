"""Invented visits to the invented shop. Synthetic: every event is drawn from latent interests, none was observed.

What the draws plant, so that each source of recommendations has something true to find: a visitor likes one to three
departments and a price tier; a session follows one theme (a kind, its companions, its category); popularity inside a
kind is a Zipf law; each product has its own accessory that is bought with it; a few products rise in the last days.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

from google.protobuf.timestamp_pb2 import Timestamp
from recomesh.reco.v1 import reco_pb2

from demo.shelf import CURRENCY, DAYS_OF_SALES, ShelfItem
from meshkit.product_card import money_from_float

VISITORS = 2_500
SESSIONS = 4_000
TRENDING = 6
_TREND_DAYS = 6
_HOURS = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 10, 11, 10, 9, 9, 10, 12, 14, 17, 19, 17, 11, 5)


@dataclass(frozen=True, slots=True)
class _Visitor:
    visitor_id: str
    departments: tuple[str, ...]
    tier: float  # 0 buys the cheapest of a kind, 1 the dearest


class _Theme:
    """Who stands beside whom on the shelf, and how popular each product is."""

    def __init__(self, shelf: list[ShelfItem], random: Random) -> None:
        self.by_kind: dict[str, list[ShelfItem]] = {}
        self.by_category: dict[str, list[ShelfItem]] = {}
        self.by_department: dict[str, list[str]] = {}
        for item in shelf:
            self.by_kind.setdefault(item.kind.name, []).append(item)
            self.by_category.setdefault(item.kind.category, []).append(item)
        kind_order = random.sample(sorted(self.by_kind), len(self.by_kind))
        self.kind_weight = {name: 1 / (rank + 4) for rank, name in enumerate(kind_order)}
        self.weight: dict[str, float] = {}
        for items in self.by_kind.values():
            self.by_department.setdefault(items[0].kind.department, []).append(items[0].kind.name)
            for rank, item in enumerate(random.sample(items, len(items)), start=1):
                self.weight[item.product.product_id] = 1 / rank
        settled = [item for item in shelf if item.age_days > DAYS_OF_SALES]
        self.trending = frozenset(item.product.product_id for item in random.sample(settled, TRENDING))
        self.accessory = {item.product.product_id: self._accessory(item) for item in shelf}

    def _accessory(self, item: ShelfItem) -> ShelfItem | None:
        """The product bought with this one: the first companion kind's product at the same place on the shelf."""
        if not item.kind.companions:
            return None
        companions = self.by_kind[item.kind.companions[0]]
        return companions[self.by_kind[item.kind.name].index(item) % len(companions)]


def planted_pairs(shelf: list[ShelfItem], seed: int = 7) -> list[tuple[str, str]]:
    """(product, accessory) ids that the visits buy together more often than chance."""
    accessory = _Theme(shelf, Random(f"{seed}:themes")).accessory
    return [(product_id, other.product.product_id) for product_id, other in accessory.items() if other is not None]


def trending_ids(shelf: list[ShelfItem], seed: int = 7) -> frozenset[str]:
    """Products that rise in the last days."""
    return _Theme(shelf, Random(f"{seed}:themes")).trending


def build_visits(shelf: list[ShelfItem], now: datetime, seed: int = 7) -> Iterator[reco_pb2.Interaction]:
    """About 30,000 events of 4,000 sessions over the 90 days before `now`, by time; none is later than `now`."""
    theme = _Theme(shelf, Random(f"{seed}:themes"))
    random = Random(f"{seed}:visits")
    visitors = [_visitor(number, theme, random) for number in range(VISITORS)]
    events: list[reco_pb2.Interaction] = []
    for number in range(SESSIONS):
        # The first visits give every visitor one session; the rest come back.
        visitor = visitors[number] if number < VISITORS else visitors[int(VISITORS * random.random() ** 2)]
        events.extend(_Session(number, visitor, theme, _start(now, random), now, random).events())
    events.sort(key=lambda event: (event.at.seconds, event.event_id))
    return iter(events)


def _visitor(number: int, theme: _Theme, random: Random) -> _Visitor:
    departments = random.sample(sorted(theme.by_department), random.choice((1, 1, 2, 2, 3)))
    return _Visitor(f"demo-visitor-{number + 1:04d}", tuple(departments), random.random())


def _start(now: datetime, random: Random) -> datetime:
    days_ago = DAYS_OF_SALES * (1 - random.random() ** 0.8)  # business grows a little
    day = now - timedelta(days=days_ago)
    start = day.replace(hour=random.choices(range(24), _HOURS)[0], minute=random.randrange(60))
    return start if start <= now - timedelta(hours=1) else start - timedelta(days=1)


class _Session:
    """One visit: views that follow a theme, a basket, sometimes an order."""

    def __init__(
        self, number: int, visitor: _Visitor, theme: _Theme, start: datetime, now: datetime, random: Random
    ) -> None:
        self._name = f"demo-session-{number + 1:05d}"
        self._visitor = visitor
        self._theme = theme
        self._random = random
        self._at_s = int(start.timestamp())
        self._now_s = int(now.timestamp())
        self._age_days = (self._now_s - self._at_s) / 86_400
        self._events: list[reco_pb2.Interaction] = []

    def events(self) -> list[reco_pb2.Interaction]:
        random = self._random
        basket: list[ShelfItem] = []
        item = self._first()
        for _ in range(min(2 + int(random.expovariate(1 / 3.6)), 18)):
            self._record(reco_pb2.EVENT_TYPE_VIEW_ITEM, item)
            if random.random() < 0.17 and item not in basket:
                self._put_in(basket, item)
            item = self._next(item)
        if basket and random.random() < 0.55:
            self._order(basket)
        return self._events

    def _first(self) -> ShelfItem:
        random, theme = self._random, self._theme
        if self._age_days < _TREND_DAYS and random.random() < 0.12:
            chosen = random.choice(sorted(theme.trending))
            return next(item for items in theme.by_kind.values() for item in items if item.product.product_id == chosen)
        department = random.choice(self._visitor.departments)
        names = theme.by_department[department]
        kind = random.choices(names, [theme.kind_weight[name] for name in names])[0]
        return self._pick(theme.by_kind[kind])

    def _next(self, item: ShelfItem) -> ShelfItem:
        draw, theme = self._random.random(), self._theme
        if draw < 0.42:
            return self._pick(theme.by_kind[item.kind.name])
        if draw < 0.60 and (accessory := theme.accessory[item.product.product_id]) is not None:
            return accessory if self._on_sale(accessory) else item
        if draw < 0.78 and item.kind.companions:
            return self._pick(theme.by_kind[self._random.choice(item.kind.companions)])
        if draw < 0.96:
            return self._pick(theme.by_category[item.kind.category])
        return self._first()

    def _pick(self, items: list[ShelfItem]) -> ShelfItem:
        """By popularity and by how well the price fits the visitor's tier."""
        weights = [self._weight(item, place / len(items)) for place, item in enumerate(items)]
        sums = list(accumulate(weights))
        return items[min(bisect(sums, self._random.random() * sums[-1]), len(items) - 1)]

    def _weight(self, item: ShelfItem, place: float) -> float:
        if not self._on_sale(item):
            return 1e-9
        fit = 1.2 - abs(place - self._visitor.tier)
        rising = item.product.product_id in self._theme.trending and self._age_days < _TREND_DAYS
        return self._theme.weight[item.product.product_id] * fit * (8 if rising else 1)

    def _on_sale(self, item: ShelfItem) -> bool:
        return item.age_days > self._age_days

    def _put_in(self, basket: list[ShelfItem], item: ShelfItem) -> None:
        self._record(reco_pb2.EVENT_TYPE_ADD_TO_CART, item)
        basket.append(item)
        accessory = self._theme.accessory[item.product.product_id]
        if accessory is not None and accessory not in basket and self._on_sale(accessory):
            if self._random.random() < 0.45:
                self._record(reco_pb2.EVENT_TYPE_VIEW_ITEM, accessory)
                self._record(reco_pb2.EVENT_TYPE_ADD_TO_CART, accessory)
                basket.append(accessory)
        elif self._random.random() < 0.06:
            self._record(reco_pb2.EVENT_TYPE_REMOVE_FROM_CART, basket.pop())

    def _order(self, basket: list[ShelfItem]) -> None:
        order = self._name.replace("session", "order")
        for item in basket:
            self._record(reco_pb2.EVENT_TYPE_PURCHASE, item, order_id=order)
        if self._random.random() < 0.04:
            self._at_s += int(self._random.uniform(1, 6) * 86_400)
            if self._at_s < self._now_s:
                self._record(reco_pb2.EVENT_TYPE_REFUND, self._random.choice(basket), order_id=order)

    def _record(self, type_: reco_pb2.EventType.ValueType, item: ShelfItem, order_id: str = "") -> None:
        self._at_s = self._at_s + self._random.randint(8, 140)
        paid = type_ in (reco_pb2.EVENT_TYPE_PURCHASE, reco_pb2.EVENT_TYPE_REFUND)
        self._events.append(
            reco_pb2.Interaction(
                event_id=f"{self._name}-{len(self._events) + 1}",
                type=type_,
                visitor_id=self._visitor.visitor_id,
                product_id=item.product.product_id,
                at=Timestamp(seconds=min(self._at_s, self._now_s)),
                quantity=1 if paid else None,
                price=money_from_float(item.price, CURRENCY) if paid else None,
                order_id=order_id,
                session_id=self._name,
            )
        )
