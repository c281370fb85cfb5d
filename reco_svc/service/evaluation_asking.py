"""Putting the questions of a task to the pipeline that serves shoppers, and to the baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter

import numpy as np

from reco_svc.domain.blend import Blended, BlendWeights, blend
from reco_svc.domain.candidates import Source
from reco_svc.domain.evaluation.baselines import Baseline, ranked
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.model import ProductChange, Recommendation, RecommendQuery, SessionStep, Strategy
from reco_svc.domain.pipeline import Pipeline
from reco_svc.domain.ports import Rows
from reco_svc.domain.question import Question
from reco_svc.domain.ranking import Momentum, Proposals, Ranker
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources import SOURCES
from reco_svc.service.evaluation_task import EvaluationTask, TaskQuery
from reco_svc.service.live_state import LiveState

LENGTH = 20
TELL_EVERY = 25

Told = Callable[[float], None]


@dataclass(slots=True)
class Answers:
    """One list of rows, best first, for each question, the source of each place, and the mean time of an answer."""

    lists: list[Rows] = field(default_factory=list)
    sources: list[tuple[str, ...]] = field(default_factory=list)
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Knobs:
    """What a caller may turn; None: the defaults of the strategy."""

    diversity: float | None = None
    novelty: float | None = None


class Asker:
    """A task before a recommender that has loaded the snapshot and followed the task's counters."""

    def __init__(self, task: EvaluationTask, snapshot: Snapshot) -> None:
        self.task = task
        self.view = live_for(task, snapshot).view()
        self._now = task.log.latest_at() or datetime.now(UTC)

    def rows(self, ids: Sequence[str]) -> Rows:
        """Rows of the products that exist, in order."""
        found = (self.view.products.row(product_id) for product_id in ids)
        return np.fromiter((row for row in found if row >= 0), np.int64)

    def ids(self, rows: Rows) -> list[str]:
        """The products of rows."""
        return [self.view.products.id(row) for row in rows.tolist()]

    def ask(self, pipeline: Pipeline, queries: Sequence[TaskQuery], told: Told, knobs: Knobs = Knobs()) -> Answers:
        """What the pipeline answers to each question."""
        answers, begin = Answers(), perf_counter()
        for at, query in enumerate(queries):
            given = self.answer(pipeline, query, knobs)
            answers.lists.append(self.rows([item.product_id for item in given.items]))
            answers.sources.append(tuple(item.source for item in given.items))
            if at % TELL_EVERY == 0:
                told(at / len(queries))
        answers.ms = 1e3 * (perf_counter() - begin) / max(1, len(queries))
        return answers

    def answer(self, pipeline: Pipeline, query: TaskQuery, knobs: Knobs = Knobs()) -> Recommendation:
        """What the pipeline answers.

        What the log already tells of the visitor is not sent again: a history that the log holds is the visitor's,
        anything else is the session.
        """
        visitor_id = query.visitor_id
        bought = self.task.log.purchased([visitor_id]).get(visitor_id, ()) if visitor_id else ()
        known = bool(bought) and set(query.history) <= set(bought)
        steps = () if known else tuple(SessionStep(product_id) for product_id in query.history[-MAX_STEPS:])
        asked = RecommendQuery(
            visitor_id=query.visitor_id,
            session=steps,
            exclude=query.exclude,
            limit=LENGTH,
            diversity=knobs.diversity,
            novelty=knobs.novelty,
        )
        return pipeline.answer(self.view, asked, (), bought, None, now=self._now, recommendation_id=query.query_id)

    def rank(self, baseline: Baseline, queries: Sequence[TaskQuery], told: Told) -> Answers:
        """What a baseline ranks best for each question, among the same products."""
        answers, begin = Answers(), perf_counter()
        allowed = self.view.products.visible(self._now.timestamp(), frozenset())
        for at, query in enumerate(queries):
            history = self.rows(list(dict.fromkeys(query.history)))
            forbidden = self.rows(query.exclude).tolist()
            answers.lists.append(ranked(baseline.scores(history), forbidden, allowed, LENGTH))
            if at % TELL_EVERY == 0:
                told(at / len(queries))
        answers.ms = 1e3 * (perf_counter() - begin) / max(1, len(queries))
        return answers


def live_for(task: EvaluationTask, snapshot: Snapshot) -> LiveState:
    """The live state of a recommender that has loaded the snapshot and followed the task's counters.

    Products that are no candidates are hidden.
    """
    live = LiveState()
    live.swap(snapshot)
    live.apply_counts(task.log.counts_after(0))
    if task.candidates is not None:
        revision = live.catalog_revision
        hidden = [p for p in task.products if p.product_id not in task.candidates]
        live.apply_products([ProductChange(revision + 1, p.product_id, replace(p, hidden=True)) for p in hidden])
    return live


def alone(source: str, sources: Mapping[str, Source] = SOURCES) -> Pipeline:
    """The pipeline with one of the sources and popular products where it falls silent, in the order of the source."""
    own = {Strategy.AUTO: (source,)}
    fallbacks = {Strategy.AUTO: ("popular", "new")}
    return Pipeline(Ranker(sources, own, fallbacks, _unweighted, diversity={}, reaching=False))


def _unweighted(
    proposals: Proposals, strategy: Strategy, question: Question, weights: BlendWeights | None, momentum: Momentum
) -> Blended:
    return blend(proposals, strategy, question, None)
