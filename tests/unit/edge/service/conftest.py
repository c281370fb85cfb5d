"""Fakes of the ports of the edge, and a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from edge.domain.card import Card
from edge.domain.events import EventVerdict, Interaction
from edge.domain.listing import CatalogChanges, Category, FreshnessEntry, ProductPage
from edge.domain.recommendation import Question, RankedItem, Recommendation
from meshkit.errors import RecomeshError

BODY = b'{"product_id":"%s","price":%d,"categories":["Home > Kitchen"],"availability":"in_stock"}'


def card(product_id: str, revision: int = 1, price: int = 10, **fields: object) -> Card:
    return replace(Card(product_id, revision, BODY % (product_id.encode(), price)), **fields)  # type: ignore[arg-type]


def answer(*ids: str, model: str = "m1", rules: str = "r1") -> Recommendation:
    items = tuple(RankedItem(i, n, 1.0 / n, "popular") for n, i in enumerate(ids, 1))
    return Recommendation("rec", items, (), 0, False, model, rules, datetime(2026, 1, 31, tzinfo=UTC))


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeCatalog:
    held: dict[str, Card] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    found: list[Card] = field(default_factory=list)
    listed: list[Category] = field(default_factory=list)
    pages: list[CatalogChanges] = field(default_factory=list)
    end: int = 7
    error: RecomeshError | None = None
    while_asked: object = None
    gate: asyncio.Event | None = None

    async def cards(self, product_ids: Sequence[str]) -> Mapping[str, Card]:
        self.asked.append(list(product_ids))
        if self.gate is not None:
            await self.gate.wait()
        self._fail()
        found = {i: self.held[i] for i in product_ids if i in self.held}
        if callable(self.while_asked):
            self.while_asked()
        return found

    async def page(self, filter_text: str, page_size: int, page_token: str) -> ProductPage:
        self._fail()
        return ProductPage(tuple(self.found), "next")

    async def search(self, query: str, filter_text: str, limit: int) -> Sequence[Card]:
        self._fail()
        return self.found

    async def categories(self, parent: str) -> Sequence[Category]:
        self._fail()
        return self.listed

    async def changes(self, after_revision: int) -> CatalogChanges:
        self._fail()
        return self.pages.pop(0)

    async def end_of_feed(self) -> int:
        self._fail()
        return self.end

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class FakeReco:
    answers: dict[str, Recommendation] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)
    told: list[Interaction] = field(default_factory=list)
    error: RecomeshError | None = None

    async def recommend(self, question: Question) -> Recommendation:
        if self.error is not None:
            raise self.error
        self.asked.append(question)
        return self.answers.get(question.strategy, answer())

    async def record(self, interactions: Sequence[Interaction]) -> Sequence[EventVerdict]:
        self.told += interactions
        return [EventVerdict(event.event_id, "accepted") for event in interactions]

    async def freshness(self) -> Sequence[FreshnessEntry]:
        return [FreshnessEntry("model", None, -1.0)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog() -> FakeCatalog:
    return FakeCatalog()


@pytest.fixture
def reco() -> FakeReco:
    return FakeReco()
