"""An answer again, and why a product is, or is not, in it."""

from __future__ import annotations

from edge.domain.ports import RecoGateway
from edge.domain.recommendation import Explanation, ShownRecommendation
from edge.service.card_book import CardBook


class AnswersAgain:
    """Answers that were given before, as the recommender's log has them."""

    def __init__(self, reco: RecoGateway, cards: CardBook) -> None:
        self._reco = reco
        self._cards = cards

    async def answer(self, recommendation_id: str, *, with_cards: bool) -> ShownRecommendation:
        """The identical list, also of products that are sold out or gone since; cards are those of now.

        NotFound (RECOMMENDATION_NOT_FOUND) once it left the log; Unavailable while the recommender is away.
        """
        answer = await self._reco.replay(recommendation_id)
        if not with_cards:
            return ShownRecommendation(answer, answer.items, {}, answer.degraded, None, 0)
        found = await self._cards.cards([item.product_id for item in answer.items])
        degraded = answer.degraded or found.degraded
        return ShownRecommendation(answer, answer.items, found.cards, degraded, None, 0)

    async def explanation(self, recommendation_id: str, product_id: str) -> Explanation:
        """Position, opinions of the sources, the step that removed it. Errors as `answer`."""
        return await self._reco.explain(recommendation_id, product_id)
