"""From a query to an answer: resolve, allow, rank, check once more, give reasons; and why a product is not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

import numpy as np

from meshkit.errors import RecomeshError
from reco_svc.domain.asking import Ask, resolve
from reco_svc.domain.blend import blend
from reco_svc.domain.model import (
    Context,
    Explanation,
    Preferences,
    Recommendation,
    RecommendQuery,
    SessionStep,
    SourceOpinion,
    Strategy,
)
from reco_svc.domain.never_show import allowed_rows, offence, offenders, present_rows, taken_groups
from reco_svc.domain.presenting import presented
from reco_svc.domain.ranking import Ranker, Ranking
from reco_svc.domain.session_lists import session_lists
from reco_svc.domain.sources import FALLBACKS, SOURCES, STRATEGY_SOURCES
from reco_svc.domain.view import View

FALLBACK = "fallback"


class Asked(NamedTuple):
    """A query with what the mesh knows of its visitor: `session` oldest first, `history` products bought earlier,
    newest first. `degraded` is passed through."""

    query: RecommendQuery
    session: Sequence[SessionStep]
    history: Sequence[str]
    preferences: Preferences | None
    recommendation_id: str
    degraded: bool = False


class Pipeline:
    """Answers queries with a ranker. `together` ranks some asks of one view and moment faster than the ranker ranks
    each, None for the others. `caught` counts, by offence, what only the last check kept out of an answer."""

    def __init__(
        self,
        ranker: Ranker,
        together: Callable[[Sequence[Ask]], Sequence[Ranking | None]] = lambda asks: [None] * len(asks),
    ) -> None:
        self._ranker = ranker
        self._together = together
        self.caught: Counter[str] = Counter()

    def answer(
        self,
        view: View,
        query: RecommendQuery,
        session: Sequence[SessionStep],
        history: Sequence[str],
        preferences: Preferences | None,
        *,
        now: datetime,
        recommendation_id: str,
        degraded: bool = False,
    ) -> Recommendation:
        """The answer to a query at a moment; the same arguments give the same answer. See Asked.

        Raises InvalidArgument (FILTER_SYNTAX) that points at the column.
        """
        asked = Asked(query, session, history, preferences, recommendation_id, degraded)
        (answer,) = self.answers(view, [asked], now)
        if isinstance(answer, RecomeshError):
            raise answer
        return answer

    def answers(self, view: View, asked: Sequence[Asked], now: datetime) -> list[Recommendation | RecomeshError]:
        """The answer, or its error, to each of many queries at one moment, in order; those that one alone would get."""
        asks = [_resolved(view, one, now) for one in asked]
        ready = iter(self._together([ask for ask in asks if isinstance(ask, Ask)]))
        return [
            self._answer(one, ask, next(ready)) if isinstance(ask, Ask) else ask
            for one, ask in zip(asked, asks, strict=True)
        ]

    def explain(
        self,
        view: View,
        query: RecommendQuery,
        session: Sequence[SessionStep],
        history: Sequence[str],
        preferences: Preferences | None,
        answer: Recommendation,
        product_id: str,
    ) -> Explanation:
        """Why a product is, or is not, in an answer that was given to these arguments.

        What the sources think is asked again, of the view as it is now; position and reasons are those of the answer. A
        product that the fallback chain brought in says so in its last reason ("fallback:popular").
        """
        ask = resolve(view, query, session, history, preferences, answer.generated_at)
        row = view.products.row(product_id)
        item = next((item for item in answer.items if item.product_id == product_id), None)
        opinions = self._opinions(ask, row, fallbacks=answer.fallback_level > 0) if row >= 0 else ()
        if item is not None:
            fallback = (f"{FALLBACK}:{item.source}",) if item.fallback_level else ()
            return Explanation(item.position, opinions, "", (*item.reasons, *fallback))
        return Explanation(0, opinions, self._removed_by(ask, row), ())

    def warm_up(self, view: View, now: datetime) -> None:
        """Answers a few questions for nobody, so that compiled kernels and first-time caches are ready."""
        ids = [view.products.id(row) for row in range(min(3, len(view.products)))]
        session = [SessionStep(product_id) for product_id in ids]
        for strategy in Strategy:
            for context in (Context(), Context(product_id=ids[0] if ids else "", basket=tuple(ids[1:]))):
                query = RecommendQuery(strategy=strategy, context=context, diversity=0.5)
                self.answer(view, query, session, ids, None, now=now, recommendation_id="")

    def _answer(self, asked: Asked, ask: Ask, ready: Ranking | None) -> Recommendation | RecomeshError:
        view = ask.view
        try:
            ranking = self._checked(ask, ready)
        except RecomeshError as error:  # of this question alone
            return error
        return Recommendation(
            recommendation_id=asked.recommendation_id,
            items=presented(ask, ranking.picks, self._ranker.sources),
            unknown_ids=ask.unknown_ids,
            fallback_level=ranking.fallback_level,
            degraded=asked.degraded,
            model_version=view.snapshot.version if view.snapshot else "",
            rules_version=view.rules.version,
            generated_at=ask.now,
        )

    def _checked(self, ask: Ask, ranking: Ranking | None = None) -> Ranking:
        """A list without anything that must never be shown, the given one if it is so. The masks see to that; this
        proves it.

        Each round forbids what it caught, and the ranker never picks a forbidden row, so it ends.
        """
        if ranking is not None and not self._caught(ranking, ask):
            return ranking
        allowed = allowed_rows(ask)
        while True:
            ranking = self._ranker.rank(ask, allowed.copy())
            wrong = self._caught(ranking, ask)
            if not wrong:
                return ranking
            allowed[wrong] = False

    def _caught(self, ranking: Ranking, ask: Ask) -> list[int]:
        """The rows of a list that must not be in it."""
        wrong = offenders([pick.row for pick in ranking.picks], ask)
        self.caught.update(wrong.values())
        return list(wrong)

    def _opinions(self, ask: Ask, row: int, *, fallbacks: bool) -> tuple[SourceOpinion, ...]:
        """What each source says of a row, those of the fallback chain too if it was asked, as if nothing forbade the
        row; by name of the source."""
        allowed = allowed_rows(ask)
        allowed[row] = True
        asked = dict(self._ranker.propose(ask, allowed, everyone=True))
        if fallbacks:
            asked |= self._ranker.propose_more(ask, allowed)
        found = []
        for name, candidates in sorted(asked.items()):
            for at in np.flatnonzero(candidates.rows == row).tolist():
                found.append(SourceOpinion(name, float(candidates.scores[at]), at + 1))
        return tuple(found)

    def _removed_by(self, ask: Ask, row: int) -> str:
        if row < 0:
            return "never_show:unknown"
        if wrong := offence(row, ask):
            return f"never_show:{wrong}"
        table = ask.view.products
        if rule_id := ask.rules.excluding(row, table):
            return f"rule:{rule_id}"
        if not allowed_rows(ask)[row]:
            return "filter"
        return _passed_over(ask, row, self._checked(ask))


def _resolved(view: View, asked: Asked, now: datetime) -> Ask | RecomeshError:
    try:
        return resolve(view, asked.query, asked.session, asked.history, asked.preferences, now)
    except RecomeshError as error:
        return error


def _passed_over(ask: Ask, row: int, ranking: Ranking) -> str:
    """The step that left out a row that may be shown."""
    shown, group = [pick.row for pick in ranking.picks], ask.view.products.group
    if row in shown:
        return "changed_since"
    if group[row] >= 0 and int(group[row]) in taken_groups(ask) | {int(group[other]) for other in shown}:
        return "never_show:variant"
    place = np.flatnonzero(ranking.considered == row)
    if len(place):
        return "diversity" if place[0] < len(shown) else "below_limit"
    if not any(row in candidates.rows for candidates in ranking.proposals.values()):
        return "not_proposed"
    twin = _twin_of(ask, row, [*present_rows(ask), *shown])
    return f"near_duplicate:{ask.view.products.id(twin)}" if twin >= 0 else "below_limit"


def _twin_of(ask: Ask, row: int, others: Sequence[int]) -> int:
    """The first of the others that is a near-duplicate of a row, -1 if none is."""
    codes = ask.view.twins
    own = int(codes[row]) if row < len(codes) else -1
    return next((other for other in others if own >= 0 and other < len(codes) and codes[other] == own), -1)


@cache
def default_pipeline() -> Pipeline:
    """The pipeline with the real sources."""
    return Pipeline(Ranker(SOURCES, STRATEGY_SOURCES, FALLBACKS, blend), session_lists)
