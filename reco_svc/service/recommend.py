"""Use case: answer a question from memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from meshkit.errors import RecomeshError, Unavailable
from reco_svc.domain.model import Recommendation, RecommendQuery
from reco_svc.domain.pipeline import Asked, Pipeline, default_pipeline
from reco_svc.domain.ports import PurchaseHistory, ReadSessions, SessionStore
from reco_svc.service.live_state import LiveState
from reco_svc.service.recommendation_ids import unguessable_ids
from reco_svc.service.recommendation_log import LoggedAnswer, RecommendationLog


class Recommend:
    """Gathers what is known of the visitor, ranks, logs. Touches no database; runs on the thread that owns `live`."""

    def __init__(
        self,
        live: LiveState,
        sessions: SessionStore,
        purchases: PurchaseHistory,
        log: RecommendationLog,
        *,
        ready: Callable[[], bool] = lambda: True,
        pipeline: Pipeline | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._live = live
        self._sessions = sessions
        self._purchases = purchases
        self._log = log
        self._ready = ready
        self._pipeline = pipeline or default_pipeline()
        self._clock = clock
        self._new_id = new_id or partial(next, unguessable_ids())

    async def __call__(self, query: RecommendQuery) -> Recommendation:
        """The answer. InvalidArgument (FILTER_SYNTAX) points at the column of a filter that does not parse.

        Unavailable until there is something to answer from, for an empty list would look like an empty shop, and until
        no kernel has to be compiled on the way.
        `degraded` is set when the session store is away: the answer then may know only what the caller sent.
        """
        (result,) = await self.many([query])
        if isinstance(result, RecomeshError):
            raise result
        return result

    async def many(self, queries: Sequence[RecommendQuery]) -> list[Recommendation | RecomeshError]:
        """An answer or its error for each query, in order. All their sessions are read at once."""
        now = self._clock()
        sessions = await self._read_sessions(queries, now)
        if not self._ready():
            away = Unavailable("reco", "the recommender is still loading snapshot and catalog, or compiling")
            return [away for _ in queries]
        asked = [self._asked(query, sessions, now) for query in queries]
        answers = self._pipeline.answers(self._live.view(), asked, now)
        for one, answer in zip(asked, answers, strict=True):
            if isinstance(answer, Recommendation):
                self._log.add(LoggedAnswer(one.query, one.session, one.history, one.preferences, answer))
        return answers

    def _asked(self, query: RecommendQuery, sessions: ReadSessions, now: datetime) -> Asked:
        visitor_id = query.visitor_id
        preferences = self._live.preferences_of(visitor_id) if visitor_id else None
        known = self._may_know(visitor_id)
        session = tuple(sessions.steps.get(visitor_id, ())) if known else ()
        history = self._purchases.recent(visitor_id, now) if known else ()
        return Asked(query, session, history, preferences, self._new_id(), known and sessions.degraded)

    async def _read_sessions(self, queries: Sequence[RecommendQuery], now: datetime) -> ReadSessions:
        visitors = {query.visitor_id for query in queries if self._may_know(query.visitor_id)}
        if not visitors:
            return ReadSessions({})
        try:
            return await self._sessions.read(visitors, now)
        except Unavailable:
            return ReadSessions({}, degraded=True)

    def _may_know(self, visitor_id: str) -> bool:
        """False for nobody and for a visitor who opted out."""
        preferences = self._live.preferences_of(visitor_id) if visitor_id else None
        return bool(visitor_id) and not (preferences and preferences.opted_out)
