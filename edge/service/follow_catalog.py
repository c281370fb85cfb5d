"""Keeping cards and answers true while the catalog changes."""

from __future__ import annotations

from collections.abc import Sequence

from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.domain.listing import Category
from edge.domain.ports import Cache, CatalogGateway
from edge.service.answer_memory import AnswerMemory
from edge.service.card_book import CardBook
from meshkit.feed import FeedPage


class FollowCatalog:
    """The two ends of a FeedFollower.

    The edge keeps no copy of the catalog, so it starts at the end of the feed: cards that it read before are read
    again. A change replaces the card that is held, and so shows in every answer with that product; one that makes a
    product appear or disappear, or of a product the edge holds no card of, outdates all answers.
    """

    def __init__(
        self,
        catalog: CatalogGateway,
        cards: CardBook,
        answers: AnswerMemory,
        categories: Cache[str, Sequence[Category]],
        history: ChangeHistory,
    ) -> None:
        self._catalog = catalog
        self._cards = cards
        self._answers = answers
        self._categories = categories
        self._history = history
        self._started = False

    async def fetch(self, after_revision: int) -> FeedPage[Card]:
        """What changed since; at first only where the feed ends."""
        if not self._started:
            end = await self._catalog.end_of_feed()
            self._history.begin(end)
            self._cards.outdate()
            self._answers.outdate()
            self._started = True
            return FeedPage((), end, has_more=False)
        page = await self._catalog.changes(after_revision)
        return FeedPage(page.cards, page.next_revision, page.has_more)

    async def apply(self, changes: Sequence[Card]) -> None:
        """Takes in a page of changes."""
        for card in changes:
            self._history.add(card.product_id, card.revision)
        alters = [self._alters_answers(card) for card in changes]
        if any(alters):
            self._answers.outdate()
            self._categories.outdate()

    def _alters_answers(self, card: Card) -> bool:
        now_s = self._cards.now_s()
        held = self._cards.changed(card)
        return held is None or held.recommendable(now_s) != card.recommendable(now_s)
