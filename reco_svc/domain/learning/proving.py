"""Choosing parameters, learning blend weights and measuring quality on sessions that were held back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from reco_svc.domain.blend import Blended, BlendWeights, blend
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.fading import Fading
from reco_svc.domain.learning.blending import learn_weights
from reco_svc.domain.learning.cold import about_forgotten, best_spread, forgotten, spreading
from reco_svc.domain.learning.collaborative import collaborative, without_hubs
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.learned import Learned, Lesson
from reco_svc.domain.learning.metrics import METRICS, metric_values
from reco_svc.domain.learning.rankings import DEPTH
from reco_svc.domain.learning.reaching import learn_reach
from reco_svc.domain.learning.rival import rival_lists
from reco_svc.domain.learning.tuning import Tuned, proposed, tune
from reco_svc.domain.learning.validation import KnownAnswer, held_back, known_answers, longer_than_visits
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Product, RuleSet, Strategy
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import Rows, VectorIndex, Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.reach import Reach
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
    reach: Reach = field(default_factory=Reach)
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

    Nothing is proved, and no weights are learned, when there are too few events or questions. Quality and reach are
    measured on each half of the questions with weights from the other; the weights returned are from all.
    """
    late, long = held_back(events, seed=seed), longer_than_visits(events)
    answers = known_answers(events, late, long=long, seed=seed) if len(events) >= LEAST_EVENTS else []
    if len(answers) < LEAST_QUESTIONS:
        return Proof(questions=len(answers))
    early = events.take(~late)
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
    weights, halves = _weights(answers, proposals, popularity.momentum)
    lists = _across(answers, proposals, halves, popularity.momentum)
    shown = {name: [said[name].rows for said in proposals] for name in SOURCES}
    quality = _quality(shown | {Strategy.AUTO.value: [blended.rows for blended in lists]}, answers)
    reach = Reach()
    if weights.by_strategy:
        told("reach")
        item_knn = len(tuned.learned.collaborative.neighbours.rows) > 0  # then it is asked already
        rivals = [shown["collaborative"]] if item_knn else rival_lists(view, early, answers, tuned.lesson)
        reach = learn_reach(answers, lists, rivals, len(products))
    return Proof(tuned.lesson, tuned.fading, spread, weights, reach, quality, len(answers))


def _weights(
    answers: Sequence[KnownAnswer],
    proposals: Sequence[Mapping[str, Candidates]],
    momentum: Callable[[Rows], Vectors],
) -> tuple[BlendWeights, Sequence[BlendWeights]]:
    """Those learned from all questions, and those of each half for the other: of odd places, of even ones."""

    def learned(part: slice) -> BlendWeights:
        return learn_weights(answers[part], proposals[part], STRATEGY_SOURCES[Strategy.AUTO], momentum)

    with ThreadPoolExecutor() as pool:
        every, *halves = pool.map(learned, (slice(None), slice(1, None, 2), slice(0, None, 2)))
    return every, halves


def _across(
    answers: Sequence[KnownAnswer],
    proposals: Sequence[Mapping[str, Candidates]],
    halves: Sequence[BlendWeights],
    momentum: Callable[[Rows], Vectors],
) -> Sequence[Blended]:
    """The list of the strategy `auto` for each question, by weights learned from every other question."""
    sources = STRATEGY_SOURCES[Strategy.AUTO]
    return [
        blend({name: said[name] for name in sources}, Strategy.AUTO, answer.question, halves[at % 2], momentum)
        for at, (answer, said) in enumerate(zip(answers, proposals, strict=True))
    ]


def _quality(lists: Mapping[str, Sequence[Rows]], answers: Sequence[KnownAnswer]) -> Mapping[str, float]:
    relevant, quality = [answer.relevant for answer in answers], dict[str, float]()
    for name, rows in lists.items():
        values = metric_values([found[:DEPTH].tolist() for found in rows], relevant)
        quality |= {f"{name}/{metric}": round(values[metric], 5) for metric in METRICS}
    return quality


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
    learned = replace(Learned.nothing(n), collaborative=without_hubs(made, tuned.lesson.damping))
    return best_spread(view_of(popularity, alike, learned, tuned.fading), asked)


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
