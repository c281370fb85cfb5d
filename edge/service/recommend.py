"""Answering a question with cards, whatever is away: fresh → cached → last good → popular from memory → Unavailable."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from edge.domain.card import Card
from edge.domain.ports import RecoGateway, upstream_failed
from edge.domain.recommendation import Question, RankedItem, Recommendation, ShownRecommendation
from edge.service.answer_memory import AnswerMemory
from edge.service.card_book import CardBook
from edge.service.card_filter import passes_filter
from edge.service.leaderboard import Leaderboard
from meshkit.errors import RecomeshError, Unavailable

log = structlog.get_logger()


class Recommend:
    """The use case behind every route that recommends."""

    def __init__(self, reco: RecoGateway, cards: CardBook, answers: AnswerMemory, leaderboard: Leaderboard) -> None:
        self._reco = reco
        self._cards = cards
        self._answers = answers
        self._leaderboard = leaderboard

    async def __call__(self, question: Question, *, with_cards: bool = True) -> ShownRecommendation:
        """The answer, with the cards of its products unless `with_cards` is false.

        Products that were deleted, hidden, expired or sold out since the recommender answered are left out. Raises
        InvalidArgument for a wrong question, Unavailable when there is nothing at all to answer.
        """
        epoch = self._answers.epoch
        age_s = None
        try:
            answer = await self._ask(question)
        except RecomeshError as error:
            if not upstream_failed(error):
                raise
            answer, age_s = self._fallback(question, error)
        return await self._shown(question, answer, age_s, epoch, with_cards)

    async def _ask(self, question: Question) -> Recommendation:
        if question.shared:
            return await self._answers.answer(question, lambda: self._reco.recommend(question))
        answer = await self._reco.recommend(question)
        self._answers.saw(answer)
        return answer

    def _fallback(self, question: Question, error: RecomeshError) -> tuple[Recommendation, float | None]:
        log.warning("recommend_fallback", reason=error.reason, error=error.message)
        for known in (question, question.without_visitor()):
            if held := self._answers.last_good(known):
                stale, age_s = held
                return _excluding(stale, question), age_s
        popular = self._leaderboard.answer(question)
        if popular is None:
            raise Unavailable("reco", "recommendations are away and none are held", retry_after_s=1.0) from error
        return popular, None

    async def _shown(
        self, question: Question, answer: Recommendation, age_s: float | None, epoch: int, with_cards: bool
    ) -> ShownRecommendation:
        cards: Mapping[str, Card]
        ids = [item.product_id for item in answer.items]
        cards_missing = False
        if with_cards:
            found = await self._cards.cards(ids)
            cards, cards_missing = found.cards, found.degraded
        else:
            cards = self._cards.known_of(ids)
        items = self._showable(question, answer, cards)
        degraded = answer.degraded or age_s is not None or cards_missing
        return ShownRecommendation(answer, items, cards, degraded, age_s, epoch)

    def _showable(
        self, question: Question, answer: Recommendation, cards: Mapping[str, Card]
    ) -> tuple[RankedItem, ...]:
        """An item without a card is trusted: the recommender follows the catalog too."""
        now_s, sold_out_too = self._cards.now_s(), question.sold_out_too
        gone = {i for i, card in cards.items() if not card.recommendable(now_s, sold_out_too=sold_out_too)}
        if question.filter and question.shared:  # a shared answer may be older than the card
            gone |= {i for i, card in cards.items() if i not in gone and not passes_filter(card, question.filter)}
        items = answer.items
        return _renumbered(tuple(item for item in items if item.product_id not in gone) if gone else items)


def _excluding(answer: Recommendation, question: Question) -> Recommendation:
    refused = {*question.exclude, *question.basket}
    items = tuple(item for item in answer.items if item.product_id not in refused) if refused else answer.items
    return answer._replace(items=_renumbered(items[: question.limit]))


def _renumbered(items: tuple[RankedItem, ...]) -> tuple[RankedItem, ...]:
    if [item.position for item in items] == list(range(1, len(items) + 1)):
        return items
    return tuple(item._replace(position=position) for position, item in enumerate(items, 1))
