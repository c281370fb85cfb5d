"""Search by words and by meaning at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import structlog

from edge.domain.card import Card
from edge.domain.listing import fused_by_rank
from edge.domain.ports import CatalogGateway, RecoGateway, upstream_failed
from edge.domain.recommendation import Question
from edge.service.card_book import CardBook
from meshkit.errors import RecomeshError

log = structlog.get_logger()
T = TypeVar("T")
MEANING = "similar"


class Search:
    """Blends the catalog's word search with the recommender's nearest products to the text, by reciprocal rank."""

    def __init__(self, catalog: CatalogGateway, reco: RecoGateway, cards: CardBook) -> None:
        self._catalog = catalog
        self._reco = reco
        self._cards = cards

    async def __call__(
        self, query: str, filter_text: str, limit: int, *, sold_out_too: bool = False
    ) -> tuple[list[Card], bool]:
        """Up to `limit` cards, best first, and whether one of the two ways was away.

        Raises InvalidArgument for a wrong filter, and the catalog's error when both ways are away.
        """
        words, meaning = await asyncio.gather(
            _tried(self._catalog.search(query, filter_text, limit)),
            _tried(self._by_meaning(query, filter_text, limit, sold_out_too)),
        )
        if isinstance(words, RecomeshError) and isinstance(meaning, RecomeshError):
            raise words
        degraded = isinstance(words, RecomeshError) or isinstance(meaning, RecomeshError)
        found = [] if isinstance(words, RecomeshError) else self._cards.learn(words)
        near = [] if isinstance(meaning, RecomeshError) else meaning
        ranked = fused_by_rank([card.product_id for card in found], near)
        shown = await self._cards.cards(ranked)
        now_s = self._cards.now_s()
        cards = [card for i in ranked if (card := shown.cards.get(i)) is not None]
        kept = [card for card in cards if card.recommendable(now_s, sold_out_too=sold_out_too)]
        return kept[:limit], degraded or shown.degraded

    async def _by_meaning(self, query: str, filter_text: str, limit: int, sold_out_too: bool) -> list[str]:
        include = ("out_of_stock",) if sold_out_too else ()
        question = Question(strategy="similar", query=query, filter=filter_text, limit=limit, include=include)
        answer = await self._reco.recommend(question)
        return [item.product_id for item in answer.items if item.source == MEANING]  # not what filled the list


async def _tried(work: Coroutine[object, object, T]) -> T | RecomeshError:
    try:
        return await work
    except RecomeshError as error:
        if not upstream_failed(error):
            raise
        log.warning("search_half", reason=error.reason, error=error.message)
        return error
