"""How fast the products of a question fade, the newest counting 1, for each source and kind of question.

Within a visit what was seen last says most; what a visitor had over months says much the same whatever its age. How
much more, differs from shop to shop and from source to source, so training measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import numpy as np

from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.ports import Vectors
from reco_svc.domain.question import PAST, Kind, Question

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)  # what training tries
_VISIT: Mapping[str, float] = MappingProxyType(
    {
        "session": 0.75,
        "viewed_together": 0.75,
        "bought_together": 0.75,
        "collaborative": 0.5,
        "similar": 0.5,
    }
)
_PAST: Mapping[str, float] = MappingProxyType(
    {
        "session": 0.5,
        "viewed_together": 0.25,
        "bought_together": 0.25,
        "collaborative": 0.25,
        "similar": 0.25,
    }
)


@dataclass(frozen=True, slots=True)
class Fading:
    """The product `d` places from the newest (1) counts d^-power; `visit` and `past` hold the power of each source.

    A session of `long` steps or more is longer than visits to this shop are, and taken for a history: callers that know
    no sessions send one so.
    """

    visit: Mapping[str, float] = field(default_factory=lambda: _VISIT)
    past: Mapping[str, float] = field(default_factory=lambda: _PAST)
    long: int = MAX_STEPS

    def weights(self, source: str, question: Question, n: int) -> Vectors:
        """(n,) float32, oldest first, the last 1."""
        powers = self.past if self.is_past(question) else self.visit
        return faded(n, powers.get(source, 0.5))

    def is_past(self, question: Question) -> bool:
        """Whether a question tells of earlier visits more than of this one."""
        return self.kind(question) in PAST

    def kind(self, question: Question) -> Kind:
        """What a question tells of its visitor."""
        return Kind.LONG if len(question.session_rows) >= self.long else question.kind


@cache
def faded(n: int, power: float) -> Vectors:
    """n^-power … 2^-power, 1 by distance from the newest; not to be changed."""
    return (np.arange(n, 0, -1, dtype=np.float32) ** np.float32(-power)).astype(np.float32)
