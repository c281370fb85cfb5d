"""Choosing parameters, learning blend weights and measuring quality on sessions that were held back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from reco_svc.domain.blend import BlendWeights, blend
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.fading import Fading
from reco_svc.domain.learning.blending import learn_weights
from reco_svc.domain.learning.cold import about_forgotten, best_spread, forgotten, spreading
from reco_svc.domain.learning.collaborative import collaborative
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.learned import Learned, Lesson
from reco_svc.domain.learning.metrics import METRICS, metric_values
from reco_svc.domain.learning.tuning import Tuned, proposed, tune
from reco_svc.domain.learning.validation import KnownAnswer, cut_time, known_answers, longer_than_visits
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Product, RuleSet, Strategy
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import VectorIndex, Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.snapshot import Graph, Snapshot
from reco_svc.domain.sources import SOURCES, STRATEGY_SOURCES
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View

CANDIDATES = 150
LEAST_EVENTS = 100
LEAST_QUESTIONS = 4


@dataclass(frozen=True, slots=True)
class Proof:
    """What a validation cut showed. `quality` is keyed "source/metric", of questions not used to learn the weights."""

    lesson: Lesson = field(default_factory=Lesson)
    fading: Fading = field(default_factory=Fading)
    spread: float = 0.0
    blend: BlendWeights = field(default_factory=lambda: BlendWeights({}, {}))
    quality: Mapping[str, float] = field(default_factory=dict)
    questions: int = 0


def prove(
    products: Sequence[Product],
    vectors: Vectors,
    index: VectorIndex | None,
    alike: Graph,
    events: LearningEvents,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda part: None,
) -> Proof:
    """Learns from the events before a cut and asks about the sessions after it.

    Nothing is proved, and no weights are learned, when there are too few events or questions. Quality is measured on
    every second question with weights from the others; the weights returned are from all.
    """
    cut_s, long = cut_time(events), longer_than_visits(events)
    answers = known_answers(events, cut_s, long=long, seed=seed) if len(events) >= LEAST_EVENTS else []
    if len(answers) < LEAST_QUESTIONS:
        return Proof(questions=len(answers))
    early = events.take(events.at_s < cut_s)
    table = ProductTable()
    table.load(products, 0)
    popularity = Popularity.of_events(early.row, early.at_s, early.weight, len(table))
    space = VectorSpace(vectors, index)

    def view_of(learned: Learned, fading: Fading) -> View:
        return _view(table, space, popularity, alike, learned, fading)

    tuned = tune(view_of, early, answers, len(products), long, told)
    told("spread")
    spread = _spread(partial(_view, table, space), alike, early, answers, tuned, seed)
    view = spreading(view_of(tuned.learned, tuned.fading), spread)
    told("ask")
    proposals = [
        {name: proposed(source, view, answer, CANDIDATES) for name, source in SOURCES.items()} for answer in answers
    ]
    told("learn weights")
    sources, momentum = STRATEGY_SOURCES[Strategy.AUTO], view.popularity.momentum
    fold = learn_weights(answers[::2], proposals[::2], sources, momentum)
    quality: dict[str, float] = {}
    held_out = list(zip(answers[1::2], proposals[1::2], strict=True))
    relevant = [answer.relevant for answer, _ in held_out]
    for name in (*SOURCES, Strategy.AUTO.value):
        lists = [_list_of(name, answer, proposed, fold, view) for answer, proposed in held_out]
        values = metric_values(lists, relevant)
        quality.update({f"{name}/{metric}": round(values[metric], 5) for metric in METRICS})
    weights = learn_weights(answers, proposals, sources, momentum)
    return Proof(tuned.lesson, tuned.fading, spread, weights, quality, len(answers))


def _spread(
    view_of: Callable[[Popularity, Graph, Learned, Fading], View],
    alike: Graph,
    early: LearningEvents,
    answers: Sequence[KnownAnswer],
    tuned: Tuned,
    seed: int,
) -> float:
    """See `cold`: of the early events some products are forgotten for the while, and asked for."""
    n = len(alike.ptr) - 1
    forgot = forgotten(early, n, seed)
    asked = about_forgotten(answers, forgot)
    known = early.take(~forgot[early.row])
    if not len(known) or not asked:
        return 0.0
    popularity = Popularity.of_events(known.row, known.at_s, known.weight, n)
    made = collaborative(
        known,
        n,
        float(known.at_s.max()),
        half_life_days=tuned.lesson.half_life_days,
        regularisation=tuned.lesson.regularisation,
    )
    learned = replace(Learned.nothing(n), collaborative=made)
    return best_spread(view_of(popularity, alike, learned, tuned.fading), asked)


def _list_of(
    name: str, answer: KnownAnswer, proposed: Mapping[str, Candidates], weights: BlendWeights, view: View
) -> Sequence[int]:
    if name != Strategy.AUTO.value:
        return list(map(int, proposed[name].rows[:20]))
    chosen = {source: proposed[source] for source in STRATEGY_SOURCES[Strategy.AUTO]}
    fused = blend(chosen, Strategy.AUTO, answer.question, weights, view.popularity.momentum)
    return list(map(int, fused.rows[:20]))


def _view(
    table: ProductTable,
    space: VectorSpace,
    popularity: Popularity,
    alike: Graph,
    learned: Learned,
    fading: Fading,
) -> View:
    snapshot = Snapshot(
        version="",
        products=range(len(table)),  # type: ignore[arg-type]  # only their number is read
        catalog_revision=0,
        vectors=np.empty((0, space.dim), np.float32),
        index=None,
        embedder="",
        projection=LexicalProjection.empty(space.dim),
        alike=alike,
        viewed=learned.viewed,
        bought=learned.bought,
        sessions=learned.sessions,
        collaborative=learned.collaborative,
        blend=BlendWeights({}, {}),
        fading=fading,
    )
    return View(table, space, popularity, snapshot, RuleSet())
