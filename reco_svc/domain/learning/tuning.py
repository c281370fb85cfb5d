"""Choosing the parameters of each source by what it answers alone to questions with known answers.

One source at a time and one parameter after another, from a few values each: enough to follow a shop (a basket is a
heap, a series is a chain; gifts have seasons, screws have none), too few to learn a cut by heart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reco_svc.domain.candidates import Candidates, Source
from reco_svc.domain.fading import POWERS, Fading
from reco_svc.domain.learning.collaborative import EASE_MOST_ITEMS, collaborative, without_hubs
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.graphs import CHAIN, HEAP, TRAIL, bought_graph, viewed_graph
from reco_svc.domain.learning.learned import NEVER_FADES, Learned, Lesson, sessions_of
from reco_svc.domain.learning.metrics import metric_values
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.question import Question
from reco_svc.domain.sources.collaborative import CollaborativeSource
from reco_svc.domain.sources.neighbours import BoughtTogetherSource, ViewedTogetherSource
from reco_svc.domain.sources.session import SessionSource
from reco_svc.domain.sources.similar import SimilarSource
from reco_svc.domain.view import View

RIDGES = (5.0, 1.0)  # see Lesson.regularisation
DAMPINGS = (0.25, 0.0, 0.5)  # see Lesson.damping
MOST_ASKED = 250  # of each kind of question
LEAST_ASKED = 30  # fewer of a kind: what suits it stays as it is
STEP = 0.25  # between powers
GAIN = 1.005  # what a value other than the first must be better by
Made = Callable[[Learned, Lesson], Learned]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was chosen, and what it makes of the events before the cut."""

    lesson: Lesson
    learned: Learned
    fading: Fading


@dataclass(frozen=True, slots=True)
class _Part:
    """A source, how its part of what is learned is made, the lessons to try, and the kinds of questions they are tried
    on: within a visit (False), of earlier visits (True)."""

    source: Source
    make: Made
    lessons: Callable[[Lesson], Sequence[Lesson]]
    kinds: tuple[bool, ...] = (False, True)


def tune(
    view_of: Callable[[Learned, Fading], View],
    early: LearningEvents,
    answers: Sequence[KnownAnswer],
    n: int,
    long: int,
    told: Callable[[str], None] = lambda part: None,
) -> Tuned:
    """Chooses for each source; `view_of` makes a view of what was learned from the `early` events over n rows, `long`
    is that of Fading."""
    past = [Fading(long=long).is_past(answer.question) for answer in answers]
    asked = {
        kind: _some([a for a, is_past_ in zip(answers, past, strict=True) if is_past_ is kind])
        for kind in (False, True)
    }
    tuned = Tuned(Lesson(), Learned.nothing(n), Fading(long=long))
    for part in _parts(early, n):
        told(f"tune {part.source.name}")
        tuned = _tuned(tuned, part, {kind: asked[kind] for kind in part.kinds}, view_of)
    return tuned


def _parts(early: LearningEvents, n: int) -> list[_Part]:
    now_s = float(early.at_s.max())
    span_days = max(float(now_s - early.at_s.min()) / 86_400.0, 1.0)
    dense = int(early.had(n).sum()) <= EASE_MOST_ITEMS  # else it is item-kNN
    sixth, half = round(span_days / 6, 1), round(span_days / 2, 1)

    def of_histories(learned: Learned, lesson: Lesson) -> Learned:
        days, ridge = lesson.half_life_days, lesson.regularisation
        made = collaborative(early, n, now_s, half_life_days=days, regularisation=ridge)
        return replace(learned, collaborative=made)

    def ridges(lesson: Lesson) -> Sequence[Lesson]:
        return [replace(lesson, regularisation=ridge) for ridge in RIDGES]

    def of_hubs(learned: Learned, lesson: Lesson) -> Learned:
        return replace(learned, collaborative=without_hubs(learned.collaborative, lesson.damping))

    def dampings(lesson: Lesson) -> Sequence[Lesson]:
        return [replace(lesson, damping=damping) for damping in DAMPINGS]

    def of_walks(learned: Learned, lesson: Lesson) -> Learned:
        made = viewed_graph(early, n, now_s, half_life_days=lesson.half_life_days, walk=lesson.walk)
        return replace(learned, viewed=made)

    def of_orders(learned: Learned, lesson: Lesson) -> Learned:
        return replace(learned, bought=bought_graph(early, n, now_s, half_life_days=lesson.half_life_days))

    return [
        _Part(
            CollaborativeSource(),
            of_histories,
            lambda lesson: [replace(lesson, half_life_days=days) for days in (sixth, half, NEVER_FADES)],
        ),
        _Part(CollaborativeSource(), *((of_histories, ridges) if dense else (of_hubs, dampings))),
        *_session_parts(early, n, now_s, span_days),
        _Part(
            ViewedTogetherSource(),
            of_walks,
            lambda lesson: [replace(lesson, walk=walk) for walk in (TRAIL, HEAP, CHAIN)],
        ),
        _Part(BoughtTogetherSource(), of_orders, lambda lesson: [lesson]),
        _Part(SimilarSource(), lambda learned, lesson: learned, lambda lesson: [lesson]),
    ]


def _session_parts(early: LearningEvents, n: int, now_s: float, span_days: float) -> list[_Part]:
    """First the age that suits visits, then the one that suits what comes at the next: there the season counts."""
    sixth, half, twelfth = (round(share * span_days, 1) for share in (1 / 6, 1 / 2, 1 / 12))

    def made(learned: Learned, lesson: Lesson) -> Learned:
        return replace(learned, sessions=sessions_of(early, n, now_s, lesson))

    def of_visits(lesson: Lesson) -> Sequence[Lesson]:
        tried = (half, sixth, NEVER_FADES)
        return [replace(lesson, session_half_life_days=d, past_session_half_life_days=d) for d in tried]

    def of_returns(lesson: Lesson) -> Sequence[Lesson]:
        tried = dict.fromkeys((lesson.session_half_life_days, half, sixth, twelfth, NEVER_FADES))
        return [replace(lesson, past_session_half_life_days=d) for d in tried]

    source = SessionSource()
    return [_Part(source, made, of_visits, kinds=(False,)), _Part(source, made, of_returns, kinds=(True,))]


def _tuned(
    tuned: Tuned,
    part: _Part,
    asked: Mapping[bool, Sequence[KnownAnswer]],
    view_of: Callable[[Learned, Fading], View],
) -> Tuned:
    """The lesson under which the source answers best, each with the powers that suit it."""
    best, most = tuned, -1.0
    for lesson in part.lessons(tuned.lesson):
        learned = part.make(tuned.learned, lesson)
        fading, quality = _faded(part.source, learned, tuned.fading, asked, view_of)
        if quality > most * GAIN:
            best, most = Tuned(lesson, learned, fading), quality
    return best


def _faded(
    source: Source,
    learned: Learned,
    fading: Fading,
    asked: Mapping[bool, Sequence[KnownAnswer]],
    view_of: Callable[[Learned, Fading], View],
) -> tuple[Fading, float]:
    """The powers that suit a source, and the sum of its quality over questions."""
    total = 0.0
    for past, answers in asked.items():
        if len(answers) < LEAST_ASKED:
            continue
        tried: dict[float, float] = {}
        start = (fading.past if past else fading.visit).get(source.name, 0.5)
        best = start
        for power in sorted({start, *POWERS}, key=lambda p: abs(p - start)):
            if tried and abs(power - best) > STEP:
                continue  # beyond a neighbour that was no better
            tried[power] = alone_quality(source, view_of(learned, _with(fading, past, source.name, power)), answers)
            if tried[power] > tried[best] * GAIN:
                best = power
        fading = _with(fading, past, source.name, best)
        total += tried[best] * len(answers)
    return fading, total


def _with(fading: Fading, past: bool, source: str, power: float) -> Fading:
    if past:
        return replace(fading, past={**fading.past, source: power})
    return replace(fading, visit={**fading.visit, source: power})


def alone_quality(source: Source, view: View, answers: Sequence[KnownAnswer]) -> float:
    """Mean of Recall@20, NDCG@10 and NDCG@20 of a source alone."""
    found = [proposed(source, view, answer.question, 20).rows.tolist() for answer in answers]
    values = metric_values(found, [answer.relevant for answer in answers])
    return (values["recall@20"] + values["ndcg@10"] + values["ndcg@20"]) / 3


def proposed(source: Source, view: View, question: Question, k: int) -> Candidates:
    """What a source says to a question, with everything the question mentions left out."""
    allowed = np.ones(len(view.products), np.bool_)
    allowed[question.session_rows] = False
    allowed[question.history_rows] = False
    return source.propose(view, question, k, allowed)


def _some(answers: Sequence[KnownAnswer]) -> Sequence[KnownAnswer]:
    """At most MOST_ASKED, evenly spread."""
    return answers[:: max(1, -(-len(answers) // MOST_ASKED))]
