"""Keeping cards and answers true while the catalog changes."""

from collections.abc import Sequence

import pytest

from edge.adapters.memory_cache import MemoryCache
from edge.adapters.redis_shared_cache import NothingShared
from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.domain.listing import CatalogChanges, Category
from edge.domain.recommendation import Question, Recommendation
from edge.service.answer_memory import AnswerMemory
from edge.service.card_book import CardBook
from edge.service.follow_catalog import FollowCatalog
from tests.unit.edge.service.conftest import Clock, FakeCatalog, card


class Parts:
    def __init__(self, catalog: FakeCatalog, clock: Clock) -> None:
        self.history = ChangeHistory()
        self.book = CardBook(
            catalog, MemoryCache[str, Card](max_entries=100, ttl_s=300), NothingShared(), self.history, clock=clock
        )
        self.answers = AnswerMemory(
            MemoryCache[Question, Recommendation](max_entries=10, ttl_s=60), NothingShared(), self.history
        )
        self.categories = MemoryCache[str, Sequence[Category]](max_entries=10, ttl_s=60)
        self.follow = FollowCatalog(catalog, self.book, self.answers, self.categories, self.history)


@pytest.fixture
async def parts(catalog: FakeCatalog, clock: Clock) -> Parts:
    made = Parts(catalog, clock)
    catalog.held = {"a": card("a", 1)}
    await made.book.cards(["a"])
    return made


async def test_following_starts_at_the_end_and_reads_cards_again(parts: Parts, catalog: FakeCatalog) -> None:
    first = await parts.follow.fetch(0)
    assert (list(first.changes), first.next_revision, first.has_more) == ([], 7, False)
    await parts.book.cards(["a"])
    assert len(catalog.asked) == 2
    catalog.pages = [CatalogChanges((card("a", 8),), 8, True)]
    page = await parts.follow.fetch(7)
    assert (page.changes, page.next_revision, page.has_more) == ((card("a", 8),), 8, True)


async def test_a_change_of_the_text_alone_outdates_no_answer(parts: Parts) -> None:
    await parts.follow.apply([card("a", 2, price=99)])
    assert parts.answers.epoch == 0
    assert parts.book.known("a") == card("a", 2, price=99)


@pytest.mark.parametrize(
    "change", [Card.of_gone("a", 2), card("a", 2, hidden=True), card("a", 2, sold_out=True), card("new", 2)]
)
async def test_what_appears_or_disappears_outdates_every_answer(parts: Parts, change: Card) -> None:
    parts.categories.put("", [Category("Home", 1)])
    await parts.follow.apply([card("a", 1), change])
    assert parts.answers.epoch == 1
    assert parts.answers.settling
    assert parts.categories.fresh("") is None


async def test_every_change_of_a_page_is_taken_in(parts: Parts, catalog: FakeCatalog) -> None:
    catalog.held["b"] = card("b", 1)
    await parts.book.cards(["b"])
    await parts.follow.apply([Card.of_gone("a", 2), Card.of_gone("b", 3)])
    held = parts.book.known("b")
    assert held is not None
    assert held.gone
