"""The popular products, kept in memory for when the recommender is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from edge.domain.card import Card
from edge.domain.ports import RecoGateway
from edge.domain.recommendation import Question, RankedItem, Recommendation
from edge.service.answer_memory import AnswerMemory
from edge.service.card_book import CardBook
from edge.service.card_filter import in_category, passes_filter
from meshkit.errors import RecomeshError

log = structlog.get_logger()
FALLBACK_LEVEL = 10
_TOP = Question(strategy="popular", limit=100)


class Leaderboard:
    """Asks for the popular products once a second.

    The same question tells the edge within a second of a new model or new rules.
    """

    def __init__(self, reco: RecoGateway, cards: CardBook, answers: AnswerMemory) -> None:
        self._reco = reco
        self._cards = cards
        self._answers = answers
        self._top: Recommendation | None = None
        self._held: Mapping[str, Card] = {}
        self.trouble = "starting"

    @property
    def ready(self) -> bool:
        """True once it was read."""
        return self._top is not None

    async def refresh(self) -> None:
        """Reads the leaderboard. Raises what the recommender raises; the last one then stays."""
        top = await self._reco.recommend(_TOP)
        self._answers.saw(top)
        found = await self._cards.cards([item.product_id for item in top.items])
        self._top = top
        self._held = {**{i: c for i, c in self._held.items() if i in found.cards}, **found.cards}

    async def run(self, stop: asyncio.Event, *, interval_s: float = 1.0) -> None:
        """Refreshes until `stop` is set."""
        while not stop.is_set():
            try:
                await self.refresh()
                self.trouble = ""
            except RecomeshError as error:
                self.trouble = error.message
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), interval_s)

    def answer(self, question: Question) -> Recommendation | None:
        """The popular products that fit a question's category, filter and exclusions; None: none were ever read.

        Raises InvalidArgument if the filter does not parse.
        """
        if self._top is None or not self._top.items:
            return None
        refused = {*question.exclude, *question.basket, question.product_id}
        items: list[RankedItem] = []
        for item in self._top.items:
            card = self._cards.known(item.product_id) or self._held.get(item.product_id)
            if len(items) == question.limit:
                break
            if item.product_id not in refused and card is not None and self._fits(card, question):
                items.append(item._replace(position=len(items) + 1))
        return self._top._replace(items=tuple(items), unknown_ids=(), fallback_level=FALLBACK_LEVEL, degraded=True)

    def _fits(self, card: Card, question: Question) -> bool:
        return (
            card.recommendable(self._cards.now_s(), sold_out_too=question.sold_out_too)
            and (not question.filter or passes_filter(card, question.filter))
            and (not question.category or in_category(card, question.category))
        )
