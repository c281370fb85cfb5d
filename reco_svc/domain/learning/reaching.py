"""How much less counts what many lists show, and how many places of ten go to what few have: what costs nothing, and
as much as the reach of item-kNN takes, at next to no cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from reco_svc.domain.blend import Blended
from reco_svc.domain.learning.metrics import per_question
from reco_svc.domain.learning.rankings import DEPTH
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Ints, Rows, Vectors
from reco_svc.domain.question import PAST, Kind
from reco_svc.domain.reach import NEVER, TEN, Giving, Place, Reach

GIVEN = ((0, 10), (1, 20), (1, 30), (1, 40), (2, 20), (2, 30), (2, 40), (3, 30), (3, 40))  # places, ranks
DAMPINGS = (0.0, 0.05, 0.1, 0.15, 0.2)
NEAR = 30  # places of a list that count as shown
DEEPEST = max(depth for _, depth in GIVEN)
QUALITY = ("ndcg@10", "ndcg@20", "recall@20")  # their mean
METRICS = (*QUALITY, "hr@10")
COST = 0.03  # share of quality that a wider reach may cost
LEVEL = 0.02  # rivals so near to the best are as good: the narrowest of them is to be reached
LEAST_ASKED = 80  # of a kind: fewer take the choice of all; fewer in all can not tell, and leave lists as they are
LEAST_COUNTED = 40  # lists of a kind: fewer take the counts of all


def learn_places(
    answers: Sequence[KnownAnswer],
    kinds: Sequence[Kind],
    lists: Sequence[Blended],
    rivals: Sequence[Sequence[Rows]],
    n: int,
) -> Mapping[str, Place]:
    """What is given by the strategy `auto` for each kind of question, n rows being for sale; `kinds` is as in
    Fading.kind.

    `lists` are of weights learned from other questions, `rivals` those of item-kNN in each of its variants; all are
    judged by their first DEPTH places.
    """
    if len(answers) < LEAST_ASKED:
        return {}
    asked = _Asked(answers, kinds, lists, rivals, n)
    every = asked.best(np.arange(len(answers)))
    places = {}
    for kind in Kind:
        own = np.flatnonzero([of is kind for of in kinds])
        places[Strategy.AUTO.value + kind.value] = asked.best(own) if len(own) >= LEAST_ASKED else every
    return places


def lists_with(kinds: Sequence[Kind], lists: Sequence[Rows], n: int) -> Ints:
    """In how many lists of each kind each of n rows is among the first NEAR, (kinds, n), see Reach.shown; all kinds of
    the PAST are one."""
    alike = [PAST if kind in PAST else (kind,) for kind in Kind]
    owned = [[found for kind, found in zip(kinds, lists, strict=True) if kind in own] for own in alike]
    counted = [own if len(own) >= LEAST_COUNTED else lists for own in owned]
    rows = [np.concatenate([np.empty(0, np.int64), *(rows[:NEAR] for rows in own)]) for own in counted]
    return np.array([np.bincount(near, minlength=n) for near in rows], np.int32)


class _Found(NamedTuple):
    """The mean of each of METRICS, and how many products are shown."""

    metrics: Vectors
    shown: int

    @property
    def quality(self) -> float:
        return float(self.metrics[: len(QUALITY)].mean())


class _Tried:
    """Lists of one choice, or of a rival: METRICS (questions, metrics) and the first ten rows (questions, 10), -1 for
    none."""

    def __init__(self, lists: Sequence[Sequence[int]], relevant: Sequence[Rows]) -> None:
        values = per_question(lists, relevant)
        self._metrics = np.stack([values[metric] for metric in METRICS], axis=1)
        self._rows = np.full((len(lists), TEN), -1, np.int64)
        for at, rows in enumerate(lists):
            self._rows[at, : len(rows[:TEN])] = rows[:TEN]

    def of(self, which: Rows) -> _Found:
        """Of some questions; what is shown among the first ten of any is the sum of both halves.

        One half's count serves all the lists of the other, as one count serves all when a shop asks; together the
        halves would show more, since each gives places to what the other lacks.
        """
        halves = [np.unique(self._rows[which[which % 2 == half]]) for half in (0, 1)]
        return _Found(self._metrics[which].mean(0), sum(int((shown >= 0).sum()) for shown in halves))


class _Asked:
    """Questions with their lists; each is judged by what lists of its kind in the other half show."""

    def __init__(
        self,
        answers: Sequence[KnownAnswer],
        kinds: Sequence[Kind],
        lists: Sequence[Blended],
        rivals: Sequence[Sequence[Rows]],
        n: int,
    ) -> None:
        relevant = [answer.relevant for answer in answers]
        rows = [found.rows for found in lists]
        halves = [Reach(lists_with(kinds[other::2], rows[other::2], n)) for other in (1, 0)]
        shown = [halves[at % 2].of(Strategy.AUTO, kind).shown for at, kind in enumerate(kinds)]
        self._tried = dict[Place, _Tried]()
        for damping in DAMPINGS:
            plain = Place(*GIVEN[0], damping)
            damped = [_damped(Giving(plain, of), found) for of, found in zip(shown, lists, strict=True)]
            for given in GIVEN:
                choice = Place(*given, damping)
                tried = [_given(Giving(choice, of), *found) for of, found in zip(shown, damped, strict=True)]
                self._tried[choice] = _Tried(tried, relevant)
        self._rivals = [_Tried([rows[:DEPTH].tolist() for rows in rival], relevant) for rival in rivals]

    def best(self, which: Rows) -> Place:
        """The choice that shows most among those that lose in no metric, if it shows as many products as the best
        rival. Else the best that does, or the one that shows most; none that loses COST or more of the quality of the
        best choice."""
        tried = {choice: found.of(which) for choice, found in self._tried.items()}
        rivals = [rival.of(which) for rival in self._rivals]
        best = max((rival.quality for rival in rivals), default=0.0)
        goal = min((rival.shown for rival in rivals if rival.quality >= (1.0 - LEVEL) * best), default=0)
        free = [choice for choice, found in tried.items() if (found.metrics >= tried[NEVER].metrics).all()]
        widest = max(free, key=lambda choice: (tried[choice].shown, tried[choice].quality))
        if tried[widest].shown >= goal:
            return widest
        least = (1.0 - COST) * max(found.quality for found in tried.values())
        cheap = [choice for choice, found in tried.items() if found.quality >= least]
        return max(cheap, key=lambda choice: (min(tried[choice].shown, goal), tried[choice].quality))


def _damped(giving: Giving, blended: Blended) -> tuple[Rows, Vectors]:
    scores = giving.damped(blended.rows, blended.scores)
    order = np.argsort(-scores, kind="stable")[:DEEPEST]
    return blended.rows[order], scores[order]


def _given(giving: Giving, rows: Rows, scores: Vectors) -> Sequence[int]:
    given: list[int] = rows[giving.given(rows, scores, DEPTH)].tolist()
    return given
