"""Use case: how good are the answers, on questions whose answers are known?

The questions go through the pipeline that serves shoppers, over a snapshot that training made from the task's events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from reco_svc.domain.evaluation.baselines import baselines
from reco_svc.domain.evaluation.results import Evaluation, KnobResult, SystemKind, TaskFacts
from reco_svc.domain.learning.events import LearningEvents, learning_events
from reco_svc.domain.model import Strategy
from reco_svc.domain.pipeline import default_pipeline
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources import SOURCES
from reco_svc.service.evaluation_asking import Answers, Asker, Knobs, alone
from reco_svc.service.evaluation_measures import Judge
from reco_svc.service.evaluation_task import EvaluationTask, TaskQuery

BLEND = Strategy.AUTO.value
KNOB_VALUES = (0.0, 0.25, 0.5, 0.75, 1.0)
KNOB_QUESTIONS = 300

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluation, and the list of product ids of the blend for each of the questions asked."""

    evaluation: Evaluation
    queries: Sequence[TaskQuery]
    lists: Sequence[Sequence[str]]


def evaluate(
    task: EvaluationTask,
    snapshot: Snapshot,
    *,
    limit: int = 0,
    progress: Progress = lambda stage, share: None,
) -> Evaluated:
    """Asks the blend, every source alone and the baselines, then the blend with its knobs turned.

    Only the first `limit` questions are asked, 0: all. Without known answers only the blend is asked, and nothing is
    judged but what needs no truth.
    """
    queries = task.queries[:limit] if limit else task.queries
    asker = Asker(task, snapshot)
    events = learning_events(task.log.scan(), asker.view.products.row, DEFAULT_WEIGHTS)
    answers = _ask_all(asker, queries, events, progress)
    judge = Judge(asker, snapshot, queries, events)
    kinds = {name: _kind(name) for name in answers}
    knobs = _turn_knobs(asker, judge, queries, progress) if task.answered else {}
    facts = TaskFacts(task.name, len(queries), len(task.products), task.log.count(), snapshot.embedder)
    progress("measure", 0.98)
    lists = [asker.ids(rows) for rows in answers[BLEND].lists]
    return Evaluated(judge.judged(facts, answers, kinds, knobs), queries, lists)


def write_predictions(path: Path, queries: Sequence[TaskQuery], lists: Sequence[Sequence[str]]) -> None:
    """One {"query_id", "items"} a line."""
    with path.open("wb") as out:
        for query, items in zip(queries, lists, strict=True):
            out.write(orjson.dumps({"query_id": query.query_id, "items": items}, option=orjson.OPT_APPEND_NEWLINE))


def _kind(name: str) -> SystemKind:
    if name == BLEND:
        return SystemKind.BLEND
    return SystemKind.SOURCE if name in SOURCES else SystemKind.BASELINE


def _ask_all(
    asker: Asker, queries: Sequence[TaskQuery], events: LearningEvents, progress: Progress
) -> dict[str, Answers]:
    """By name: the blend, the sources, the baselines. The blend alone when no answers are known."""
    names = (BLEND, *SOURCES) if asker.task.answered else (BLEND,)
    answers = {}
    for at, name in enumerate(names):
        pipeline = default_pipeline() if name == BLEND else alone(name)
        answers[name] = asker.ask(pipeline, queries, _part(progress, f"ask {name}", 0.75, at, len(names)))
    if asker.task.answered:
        rivals = baselines(events, len(asker.view.products))
        for at, (name, rival) in enumerate(rivals.items()):
            told = _part(progress, f"ask {name}", 0.03, at, len(rivals), begin=0.75)
            answers[name] = asker.rank(rival, queries, told)
    return answers


def _turn_knobs(
    asker: Asker, judge: Judge, queries: Sequence[TaskQuery], progress: Progress
) -> Mapping[str, Sequence[KnobResult]]:
    """The blend under every value of every knob, on KNOB_QUESTIONS questions spread over the task."""
    few = queries[:: max(1, len(queries) // KNOB_QUESTIONS)]
    turned = [(name, value, Knobs(**{name: value})) for name in Knobs.__slots__ for value in KNOB_VALUES]
    found: dict[str, list[KnobResult]] = {}
    for at, (name, value, knobs) in enumerate(turned):
        told = _part(progress, f"ask {name} {value}", 0.17, at, len(turned), begin=0.78)
        answers = asker.ask(default_pipeline(), few, told, knobs)
        found.setdefault(name, []).append(judge.knob(value, few, answers))
    return found


def _part(
    progress: Progress, stage: str, whole: float, at: int, of: int, *, begin: float = 0.0
) -> Callable[[float], None]:
    """Progress of part `at` of `of`, all of which are `whole` of the work from `begin` on."""
    return lambda share: progress(stage, begin + whole * (at + share) / of)
