"""Lists that do not all show the same.

The blend shows some products to many: they are near everything (hubs: Radovanović, Nanopoulos and Ivanović, JMLR 2010).
So what many lists of a kind had when training asked counts for less, as hubs do where scores are scaled by their
neighbourhood (Schnitzer et al., JMLR 2012), and the last of the first ten places go to those, among what comes next,
that the fewest lists had. How much of both is learned, see learning/reaching.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numba import njit

from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Ints, Rows, Vectors
from reco_svc.domain.question import Kind

TEN = 10  # places, of which the last are given
LEAST = 0.5  # of the score of the product that stands there: what was buried stays so


class Place(NamedTuple):
    """Scores are divided by the lists that showed the product, and one, to the power `damping`; then the last `given`
    of the first ten places go to products down to the rank `depth`."""

    given: int
    depth: int
    damping: float = 0.0


NEVER = Place(0, TEN)


class Giving(NamedTuple):
    """A place, and how many lists each row was near the top of, `shown` (n,); rows that came after the training count
    as never shown."""

    place: Place
    shown: Ints

    def damped(self, rows: Rows, scores: Vectors) -> Vectors:
        """Scores of `rows`, in their order: (n,), (n,) → (n,)."""
        if not self.place.damping:
            return scores
        damped: Vectors = _damped(rows, scores, self.shown, np.float32(-self.place.damping))
        return damped

    def given(self, rows: Rows, scores: Vectors, length: int) -> Rows:
        """Positions of the first `length` of `rows`, best first, with the places given: (n,), (n,) → (≤ length,).

        Ties go to the better rank.
        """
        order: Rows = _given(rows, scores, self.shown, length, self.place.given, self.place.depth)
        return order


@dataclass(frozen=True, slots=True)
class Reach:
    """`shown` (kinds, n) counts the lists that each row was near the top of, for each Kind in its order; `places` has
    what is given by strategy and kind as in BlendWeights. Nothing learned: lists stay as they are."""

    shown: Ints = field(default_factory=lambda: np.empty((len(Kind), 0), np.int32))
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, strategy: Strategy, kind: Kind) -> Giving:
        """What is given to a question of a kind, see Fading.kind."""
        return Giving(self.places.get(strategy + kind, NEVER), self.shown[_AT[kind]])


@njit(cache=True, nogil=True)
def _damped(rows, scores, shown, power):  # type: ignore[no-untyped-def]
    damped = scores.copy()
    for at in range(len(rows)):
        if rows[at] < len(shown):
            damped[at] *= np.float32(1 + shown[rows[at]]) ** power
    return damped


@njit(cache=True, nogil=True)
def _given(rows, scores, shown, length, given, depth):  # type: ignore[no-untyped-def]
    order = np.arange(len(rows))
    for at in range(max(0, TEN - given), min(TEN, length, len(rows))):
        chosen, fewest = at, shown[rows[order[at]]] if rows[order[at]] < len(shown) else 0
        least = np.float32(LEAST) * scores[order[at]]
        for other in range(at + 1, min(depth, len(rows))):
            place = order[other]
            lists = shown[rows[place]] if rows[place] < len(shown) else 0
            if lists < fewest and scores[place] >= least:
                chosen, fewest = other, lists
        kept = order[chosen]
        for place in range(chosen, at, -1):
            order[place] = order[place - 1]
        order[at] = kept
    return order[:length]


_AT = {kind: at for at, kind in enumerate(Kind)}
AS_IT_IS = Giving(NEVER, np.empty(0, np.int32))  # nothing learned
