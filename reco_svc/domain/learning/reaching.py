"""How many places of ten are given to what few lists have: as many as item-kNN's reach takes, at next to no cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reco_svc.domain.blend import Blended, Kind, kind_of
from reco_svc.domain.learning.metrics import metric_values
from reco_svc.domain.learning.rankings import DEPTH
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Ints, Rows
from reco_svc.domain.reach import NEVER, TEN, Place, Reach

CHOICES = (NEVER, Place(1, 20), Place(1, 30), Place(1, 40), Place(2, 20), Place(2, 30), Place(2, 40))
NEAR = 30  # places of a list that count as shown
COST = 0.025  # share of quality that a wider reach may cost
LEVEL = 0.02  # rivals so near to the best are as good: the narrowest of them is to be reached
LEAST_ASKED = 80  # of a kind: fewer take the choice of all


def learn_reach(
    answers: Sequence[KnownAnswer], lists: Sequence[Blended], rivals: Sequence[Sequence[Rows]], n: int
) -> Reach:
    """What the lists of the strategy `auto` show of n rows, and the choice for each kind of question.

    `lists` are of weights learned from other questions, `rivals` those of item-kNN in each of its variants; all are
    judged by their first DEPTH places.
    """
    if not answers:
        return Reach()
    kinds = np.array([kind_of(answer.question).value for answer in answers])
    shown = [_shown(lists[at::2], n) for at in (0, 1)]
    asked = _Asked(answers, lists, rivals, shown)
    every = asked.best(range(len(answers)))
    chosen = {}
    for kind in Kind:
        own = np.flatnonzero(kinds == kind.value).tolist()
        chosen[Strategy.AUTO.value + kind.value] = asked.best(own) if len(own) >= LEAST_ASKED else every
    return Reach((shown[0] + shown[1]).astype(np.int32), chosen)


class _Asked:
    """Questions with their lists; each is judged by what the lists of the other half show."""

    def __init__(
        self,
        answers: Sequence[KnownAnswer],
        lists: Sequence[Blended],
        rivals: Sequence[Sequence[Rows]],
        shown: Sequence[Ints],
    ) -> None:
        self._relevant = [answer.relevant for answer in answers]
        self._lists, self._rivals = lists, rivals
        self._reach = [Reach(shown[1]), Reach(shown[0])]

    def best(self, which: Sequence[int]) -> Place:
        """The least costly choice that shows as many products as the best rival, else the one that shows most; none
        that costs COST or more."""
        tried = {choice: self._judged([self._given(at, choice) for at in which], which) for choice in CHOICES}
        rivals = [self._judged([rival[at][:DEPTH].tolist() for at in which], which) for rival in self._rivals]
        best = max((quality for quality, _ in rivals), default=0.0)
        goal = min((shown for quality, shown in rivals if quality >= (1.0 - LEVEL) * best), default=0)
        least = (1.0 - COST) * tried[NEVER][0]
        cheap = {choice: found for choice, found in tried.items() if choice == NEVER or found[0] > least}
        return max(cheap, key=lambda choice: (min(cheap[choice][1], goal), cheap[choice][0]))

    def _given(self, at: int, choice: Place) -> Sequence[int]:
        rows, scores = self._lists[at].rows, self._lists[at].scores
        given: list[int] = rows[self._reach[at % 2].given(rows, scores, DEPTH, choice)].tolist()
        return given

    def _judged(self, lists: Sequence[Sequence[int]], which: Sequence[int]) -> tuple[float, int]:
        """Quality, and how many products are among the first ten of any."""
        values = metric_values(lists, [self._relevant[at] for at in which])
        shown = {row for rows in lists for row in rows[:TEN]}
        return values["ndcg@10"] + values["ndcg@20"] + values["recall@20"], len(shown)


def _shown(lists: Sequence[Blended], n: int) -> Ints:
    rows = [blended.rows[:NEAR] for blended in lists]
    return np.bincount(np.concatenate([np.empty(0, np.int64), *rows]), minlength=n).astype(np.int32)
