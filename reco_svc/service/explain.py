"""Use cases: an answer again, and why a product is, or is not, in it."""

from __future__ import annotations

from reco_svc.domain.model import Explanation, Recommendation, RecommendQuery
from reco_svc.domain.pipeline import Pipeline, default_pipeline
from reco_svc.service.live_state import LiveState
from reco_svc.service.recommendation_log import RecommendationLog


class ReplayRecommendation:
    """The same answer again, as it was given."""

    def __init__(self, log: RecommendationLog) -> None:
        self._log = log

    def __call__(self, recommendation_id: str) -> tuple[RecommendQuery, Recommendation]:
        """Question and answer; NotFound (RECOMMENDATION_NOT_FOUND) once it left the log."""
        entry = self._log.get(recommendation_id)
        return entry.query, entry.answer


class ExplainRecommendation:
    """Why. Sources are asked again with what was known then, of the tables as they are now."""

    def __init__(self, live: LiveState, log: RecommendationLog, *, pipeline: Pipeline | None = None) -> None:
        self._live = live
        self._log = log
        self._pipeline = pipeline or default_pipeline()

    def __call__(self, recommendation_id: str, product_id: str) -> Explanation:
        """Position, opinions of the sources, the step that removed it, reasons; NotFound (RECOMMENDATION_NOT_FOUND)."""
        entry = self._log.get(recommendation_id)
        return self._pipeline.explain(
            self._live.view(),
            entry.query,
            entry.session,
            entry.history,
            entry.preferences,
            entry.answer,
            product_id,
        )
