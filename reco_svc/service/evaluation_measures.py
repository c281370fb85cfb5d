"""From lists to figures: metrics with intervals, slices, where hits come from, what the knobs cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from reco_svc.domain.evaluation.beyond_accuracy import Shelves, beyond_accuracy
from reco_svc.domain.evaluation.bootstrap import Difference, Figure, Resampled, Values, ratio_figure
from reco_svc.domain.evaluation.results import (
    Evaluation,
    KnobResult,
    SliceResult,
    SystemKind,
    SystemResult,
    TaskFacts,
)
from reco_svc.domain.evaluation.slices import by_history_length, by_popularity
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.metrics import METRICS, per_question
from reco_svc.domain.ports import Mask, Rows
from reco_svc.domain.snapshot import Snapshot
from reco_svc.service.evaluation_asking import Answers, Asker
from reco_svc.service.evaluation_task import TaskQuery

NDCG = "ndcg@10"
HITS = 20
Kinds = Mapping[str, SystemKind]


class Judge:
    """Judges answers to the questions of a task."""

    def __init__(self, asker: Asker, snapshot: Snapshot, queries: Sequence[TaskQuery], events: LearningEvents) -> None:
        task, rows = asker.task, len(asker.view.products)
        self._queries = queries
        self._answered = task.answered
        self._relevant = self._relevant_of(asker, queries)
        self._asker = asker
        self._counts = np.bincount(events.wanted.row, minlength=rows)
        self._shelves = Shelves(self._counts, snapshot.vectors, len(task.candidates or task.products))
        self._lengths = [len(set(query.history)) for query in queries]

    def judged(
        self,
        facts: TaskFacts,
        answers: Mapping[str, Answers],
        kinds: Kinds,
        knobs: Mapping[str, Sequence[KnobResult]],
    ) -> Evaluation:
        """Everything there is to say; of lists without known answers only what lies beyond accuracy."""
        beyond = {name: beyond_accuracy(a.lists, self._shelves) for name, a in answers.items()}
        if not self._answered:
            systems = [SystemResult(n, kinds[n], {}, beyond[n], ms=a.ms) for n, a in answers.items()]
            return Evaluation(facts, systems)
        values = {name: _values(a.lists, self._relevant) for name, a in answers.items()}
        resampled = {metric: Resampled({n: v[metric] for n, v in values.items()}) for metric in METRICS}
        systems = [
            SystemResult(
                name,
                kinds[name],
                {metric: resampled[metric].figure(name) for metric in METRICS},
                beyond[name],
                _against(name, kinds, values, resampled, SystemKind.BASELINE)
                if kinds[name] is not SystemKind.BASELINE
                else {},
                given.ms,
            )
            for name, given in answers.items()
        ]
        blend = next(name for name, kind in kinds.items() if kind is SystemKind.BLEND)
        return Evaluation(
            facts,
            systems,
            history=self._by_history(values, kinds, blend),
            popularity=self._by_popularity(answers),
            hits=self._hits(answers[blend]),
            knobs=knobs,
            gain=_against(blend, kinds, values, resampled, SystemKind.SOURCE),
        )

    def knob(self, value: float, queries: Sequence[TaskQuery], answers: Answers) -> KnobResult:
        """The blend with a knob at a value."""
        values = _values(answers.lists, self._relevant_of(self._asker, queries))
        ndcg = Resampled({NDCG: values[NDCG]}).figure(NDCG)
        return KnobResult(value, ndcg, beyond_accuracy(answers.lists, self._shelves))

    @staticmethod
    def _relevant_of(asker: Asker, queries: Sequence[TaskQuery]) -> list[Rows]:
        return [asker.rows(sorted(query.relevant)) for query in queries]

    def _by_history(self, values: Mapping[str, Mapping[str, Values]], kinds: Kinds, blend: str) -> list[SliceResult]:
        found = []
        for label, inside in by_history_length(self._lengths):
            part = Resampled({name: v[NDCG][inside] for name, v in values.items()})
            figures = {name: part.figure(name) for name in values}
            best = _best(figures, kinds, SystemKind.SOURCE)
            found.append(SliceResult(label, int(inside.sum()), figures, best, part.difference(blend, best)))
        return found

    def _by_popularity(self, answers: Mapping[str, Answers]) -> list[SliceResult]:
        found = []
        for label, products in by_popularity(self._counts):
            wanted = np.array([products[rows].sum() for rows in self._relevant], np.float64)
            if not wanted.any():
                continue
            figures = {name: self._recall(given, products, wanted) for name, given in answers.items()}
            found.append(SliceResult(label, int(wanted.sum()), figures))
        return found

    def _recall(self, answers: Answers, products: Mask, wanted: Values) -> Figure:
        hits = [
            np.isin(rows[:HITS], relevant[products[relevant]]).sum()
            for rows, relevant in zip(answers.lists, self._relevant, strict=True)
        ]
        return ratio_figure(np.array(hits, np.float64), wanted)

    def _hits(self, answers: Answers) -> Mapping[str, float]:
        """Share of the hits that each source gave, the greatest first."""
        hits: Counter[str] = Counter()
        for rows, sources, relevant in zip(answers.lists, answers.sources, self._relevant, strict=True):
            hits.update(source for row, source in zip(rows, sources, strict=True) if row in relevant)
        total = max(1, sum(hits.values()))
        return {source: count / total for source, count in hits.most_common()}


def _values(lists: Sequence[Rows], relevant: Sequence[Rows]) -> Mapping[str, Values]:
    """Each metric for each question."""
    values = per_question([rows.tolist() for rows in lists], relevant)
    return {metric: found.astype(np.float64) for metric, found in values.items()}


def _best(figures: Mapping[str, Figure], kinds: Kinds, kind: SystemKind) -> str:
    return max((name for name in figures if kinds[name] is kind), key=lambda name: figures[name].value)


def _against(
    name: str,
    kinds: Kinds,
    values: Mapping[str, Mapping[str, Values]],
    resampled: Mapping[str, Resampled],
    kind: SystemKind,
) -> Mapping[str, Difference]:
    """A system against the best rival of a kind, for each metric."""
    found = {}
    for metric in METRICS:
        figures = {rival: resampled[metric].figure(rival) for rival in values}
        found[metric] = resampled[metric].difference(name, _best(figures, kinds, kind))
    return found
