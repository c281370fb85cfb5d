"""Several placements of one page in one call, no product twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from edge.domain.recommendation import Question, ShownRecommendation
from edge.service.recommend import Recommend
from meshkit.errors import FieldViolation, InvalidArgument

MOST_PRODUCTS = 100  # of all placements together: the longest list that the recommender gives


class RecommendPage:
    """Asks for all placements at once, so that the page waits for one answer, not for their sum.

    Each placement asks for as many products more as those before it may take away: what is left fills it.
    """

    def __init__(self, recommend: Recommend) -> None:
        self._recommend = recommend

    async def __call__(self, questions: Sequence[Question], *, with_cards: bool = True) -> list[ShownRecommendation]:
        """An answer for each question, in order; an earlier placement keeps a product that both want.

        InvalidArgument names the placement ("placements[1].filter"); Unavailable as for a single question.
        """
        asked, before = [], 0
        for question in questions:
            asked.append(question._replace(limit=question.limit + before))
            before += question.limit
        found = await asyncio.gather(
            *(self._one(at, question, with_cards) for at, question in enumerate(asked)), return_exceptions=True
        )
        given: list[ShownRecommendation] = []
        for result in found:
            if isinstance(result, BaseException):
                raise result
            given.append(result)
        return _without_repeats(questions, given)

    async def _one(self, at: int, question: Question, with_cards: bool) -> ShownRecommendation:
        try:
            return await self._recommend(question, with_cards=with_cards)
        except InvalidArgument as error:
            placed = [FieldViolation(f"placements[{at}].{v.field}", v.description) for v in error.violations]
            raise InvalidArgument(placed, reason=error.reason) from None


def _without_repeats(questions: Sequence[Question], found: Sequence[ShownRecommendation]) -> list[ShownRecommendation]:
    shown: set[str] = set()
    page = []
    for question, given in zip(questions, found, strict=True):
        fresh = [item for item in given.items if item.product_id not in shown][: question.limit]
        shown.update(item.product_id for item in fresh)
        items = tuple(item._replace(position=position) for position, item in enumerate(fresh, 1))
        page.append(given._replace(items=items))
    return page
