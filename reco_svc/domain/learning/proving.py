"""Choosing parameters, learning blend weights and measuring quality on sessions that were held back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from reco_svc.domain.blend import Blended, BlendWeights, blend
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.fading import Fading
from reco_svc.domain.learning.blending import learn_weights
from reco_svc.domain.learning.cold import about_forgotten, best_spread, forgotten
from reco_svc.domain.learning.collaborative import collaborative, without_hubs
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.learned import Learned, Lesson
from reco_svc.domain.learning.metrics import METRICS, metric_values
from reco_svc.domain.learning.rankings import DEPTH
from reco_svc.domain.learning.reaching import learn_places
from reco_svc.domain.learning.rival import rival_lists
from reco_svc.domain.learning.shop import Shop
from reco_svc.domain.learning.tuning import Tuned, proposed, tune
from reco_svc.domain.learning.validation import KnownAnswer, held_back, known_answers, longer_than_visits
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.ranking import CANDIDATES
from reco_svc.domain.reach import Place
from reco_svc.domain.sources import SOURCES, STRATEGY_SOURCES
from reco_svc.domain.view import View

LEAST_EVENTS = 100
LEAST_QUESTIONS = 4


@dataclass(frozen=True, slots=True)
class Proof:
    """What a validation cut showed. `quality` is keyed "source/metric", of questions not used to learn the weights."""

    lesson: Lesson = field(default_factory=Lesson)
    fading: Fading = field(default_factory=Fading)
    spread: float = 0.0
    blend: BlendWeights = field(default_factory=lambda: BlendWeights({}, {}))
    places: Mapping[str, Place] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)
    questions: int = 0


def prove(
    shop: Shop,
    events: LearningEvents,
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda part: None,
) -> Proof:
    """Learns from the events before a cut and asks about the sessions after it.

    Nothing is proved, and no weights are learned, when there are too few events or questions. Quality and places are
    measured on each half of the questions with weights from the other; the weights returned are from all.
    """
    late, long = held_back(events, seed=seed), longer_than_visits(events)
    answers = known_answers(events, late, long=long, seed=seed) if len(events) >= LEAST_EVENTS else []
    if len(answers) < LEAST_QUESTIONS:
        return Proof(questions=len(answers))
    early = events.take(~late)
    popularity = shop.popularity(early)

    def view_of(learned: Learned, fading: Fading) -> View:
        return shop.view(popularity, learned, fading)

    tuned = tune(view_of, early, answers, shop.n, long, told)
    told("spread")
    spread = _spread(shop, early, answers, tuned, seed)
    view = shop.view(popularity, tuned.learned, tuned.fading, spread=spread)
    told("ask")
    proposals = [
        {name: proposed(source, view, answer.question, CANDIDATES) for name, source in SOURCES.items()}
        for answer in answers
    ]
    told("learn weights")
    weights, halves = _weights(answers, proposals, popularity.momentum)
    lists = _across(answers, proposals, halves, popularity.momentum)
    shown = {name: [said[name].rows for said in proposals] for name in SOURCES}
    quality = _quality(shown | {Strategy.AUTO.value: [blended.rows for blended in lists]}, answers)
    places: Mapping[str, Place] = {}
    if weights.by_strategy:
        told("reach")
        item_knn = len(tuned.learned.collaborative.neighbours.rows) > 0  # then it is asked already
        rivals = [shown["collaborative"]] if item_knn else rival_lists(view, early, answers, tuned.lesson)
        kinds = [tuned.fading.kind(answer.question) for answer in answers]
        places = learn_places(answers, kinds, lists, rivals, shop.n)
    return Proof(tuned.lesson, tuned.fading, spread, weights, places, quality, len(answers))


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


def _spread(shop: Shop, early: LearningEvents, answers: Sequence[KnownAnswer], tuned: Tuned, seed: int) -> float:
    """See `cold`: of the early events some products are forgotten for the while, and asked for."""
    forgot = forgotten(early, shop.n, seed)
    asked = about_forgotten(answers, forgot)
    known = early.take(~forgot[early.row])
    if not len(known) or not asked:
        return 0.0
    made = collaborative(
        known,
        shop.n,
        float(known.at_s.max()),
        half_life_days=tuned.lesson.half_life_days,
        regularisation=tuned.lesson.regularisation,
    )
    learned = replace(Learned.nothing(shop.n), collaborative=without_hubs(made, tuned.lesson.damping))
    return best_spread(shop.view(shop.popularity(known), learned, tuned.fading), asked)
