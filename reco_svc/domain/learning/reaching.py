"""How much less counts what many lists show, and how many places of ten go to what few have: as much as the reach of
item-kNN takes, at next to no cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reco_svc.domain.blend import Blended
from reco_svc.domain.learning.metrics import per_question
from reco_svc.domain.learning.rankings import DEPTH
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Ints, Rows, Vectors
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import TEN, Place, Reach

GIVEN = ((0, 10), (1, 20), (1, 30), (1, 40), (2, 20), (2, 30), (2, 40), (3, 30), (3, 40))  # places, ranks
DAMPINGS = (0.0, 0.05, 0.1, 0.15, 0.2)
NEAR = 30  # places of a list that count as shown
DEEPEST = max(depth for _, depth in GIVEN)
COST = 0.03  # share of quality that a wider reach may cost
LEVEL = 0.02  # rivals so near to the best are as good: the narrowest of them is to be reached
LEAST_ASKED = 80  # of a kind: fewer take the choice of all; fewer in all can not tell, and leave lists as they are


def learn_reach(
    answers: Sequence[KnownAnswer], lists: Sequence[Blended], rivals: Sequence[Sequence[Rows]], n: int
) -> Reach:
    """What the lists of the strategy `auto` show of n rows, and the choice for each kind of question.

    `lists` are of weights learned from other questions, `rivals` those of item-kNN in each of its variants; all are
    judged by their first DEPTH places.
    """
    if len(answers) < LEAST_ASKED:
        return Reach()
    kinds = np.array([answer.question.kind.value for answer in answers])
    shown = [_shown(lists[at::2], n) for at in (0, 1)]
    asked = _Asked(answers, lists, rivals, shown)
    every = asked.best(np.arange(len(answers)))
    chosen = {}
    for kind in Kind:
        own = np.flatnonzero(kinds == kind.value)
        chosen[Strategy.AUTO.value + kind.value] = asked.best(own) if len(own) >= LEAST_ASKED else every
    return Reach((shown[0] + shown[1]).astype(np.int32), chosen)


class _Tried:
    """Lists of one choice, or of a rival: quality (questions,) and the first ten rows (questions, 10), -1 for none."""

    def __init__(self, lists: Sequence[Sequence[int]], relevant: Sequence[Rows]) -> None:
        values = per_question(lists, relevant)
        self._quality = values["ndcg@10"] + values["ndcg@20"] + values["recall@20"]
        self._rows = np.full((len(lists), TEN), -1, np.int64)
        for at, rows in enumerate(lists):
            self._rows[at, : len(rows[:TEN])] = rows[:TEN]

    def of(self, which: Rows) -> tuple[float, int]:
        """Mean quality of some questions, and how many products are among the first ten of any, the sum of both halves.

        One half's count serves all the lists of the other, as one count serves all when a shop asks; together the
        halves would show more, since each gives places to what the other lacks.
        """
        halves = [np.unique(self._rows[which[which % 2 == half]]) for half in (0, 1)]
        return float(self._quality[which].mean()), sum(int((shown >= 0).sum()) for shown in halves)


class _Asked:
    """Questions with their lists; each is judged by what the lists of the other half show."""

    def __init__(
        self,
        answers: Sequence[KnownAnswer],
        lists: Sequence[Blended],
        rivals: Sequence[Sequence[Rows]],
        shown: Sequence[Ints],
    ) -> None:
        relevant = [answer.relevant for answer in answers]
        self._reach = [Reach(shown[1]), Reach(shown[0])]
        self._tried = dict[Place, _Tried]()
        for damping in DAMPINGS:
            damped = [self._damped(at, blended, damping) for at, blended in enumerate(lists)]
            for given in GIVEN:
                choice = Place(*given, damping)
                self._tried[choice] = _Tried([self._given(at, *d, choice) for at, d in enumerate(damped)], relevant)
        self._rivals = [_Tried([rows[:DEPTH].tolist() for rows in rival], relevant) for rival in rivals]

    def best(self, which: Rows) -> Place:
        """The best choice that shows as many products as the best rival, else the one that shows most; none that
        loses COST or more of the quality of the best choice."""
        tried = {choice: found.of(which) for choice, found in self._tried.items()}
        rivals = [rival.of(which) for rival in self._rivals]
        best = max((quality for quality, _ in rivals), default=0.0)
        goal = min((shown for quality, shown in rivals if quality >= (1.0 - LEVEL) * best), default=0)
        least = (1.0 - COST) * max(quality for quality, _ in tried.values())
        cheap = {choice: found for choice, found in tried.items() if found[0] >= least}
        return max(cheap, key=lambda choice: (min(cheap[choice][1], goal), cheap[choice][0]))

    def _damped(self, at: int, blended: Blended, damping: float) -> tuple[Rows, Vectors]:
        scores = self._reach[at % 2].damped(blended.rows, blended.scores, Place(*GIVEN[0], damping))
        order = np.argsort(-scores, kind="stable")[:DEEPEST]
        return blended.rows[order], scores[order]

    def _given(self, at: int, rows: Rows, scores: Vectors, choice: Place) -> Sequence[int]:
        given: list[int] = rows[self._reach[at % 2].given(rows, scores, DEPTH, choice)].tolist()
        return given


def _shown(lists: Sequence[Blended], n: int) -> Ints:
    rows = [blended.rows[:NEAR] for blended in lists]
    return np.bincount(np.concatenate([np.empty(0, np.int64), *rows]), minlength=n).astype(np.int32)
