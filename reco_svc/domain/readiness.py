"""Does a shop have enough for each source, and what answers until it has?

The thresholds are about when a source says more than chance, not about when it works: each works, silently, from the
first event on, and what it leaves open is filled by the fallback chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from reco_svc.domain.model import Strategy
from reco_svc.domain.sources import FALLBACKS
from reco_svc.domain.view import View

LIST = 10  # products: one list without a fallback
SESSIONS = 100  # neighbours of a session are found among these; fewer hold one or two of each product
PAIRED = 20  # products with a neighbour: below, most pages have nothing to show
QUESTIONS = 30  # held-out questions; blend weights from fewer follow noise (learning/blending.py)
ALIKE = 2  # products with a text: one can be like the other
BLEND, RANK_FUSION = Strategy.AUTO.value, "rank fusion of the sources"


@dataclass(frozen=True, slots=True)
class SourceReadiness:
    """What a source has and needs, of what, and which one stands in (for itself, when it is ready)."""

    source: str
    has: int
    needs: int
    unit: str
    stand_in: str = ""

    @property
    def ready(self) -> bool:
        """Whether it has what it needs."""
        return self.has >= self.needs

    @property
    def note(self) -> str:
        """For people: "37 of 100 sessions; popular stands in"."""
        if self.ready:
            return f"{self.has:,} {self.unit}"
        return f"{self.has:,} of {self.needs:,} {self.unit}; {self.stand_in} stands in"


def readiness(view: View, waiting: int = 0) -> list[SourceReadiness]:
    """The blend, then every source in order of name. `waiting` products have no vector of their own yet."""
    measured = {name: measure(view, waiting) for name, measure in _MEASURES.items()}
    ready = {name for name, one in measured.items() if one.ready}
    found = [
        SourceReadiness(name, one.has, one.needs, one.unit, "" if one.ready else _stand_in(name, ready))
        for name, one in sorted(measured.items())
    ]
    questions = int(view.snapshot.blend.evidence.get("questions", 0)) if view.snapshot else 0
    return [SourceReadiness(BLEND, questions, QUESTIONS, "held-out questions", RANK_FUSION), *found]


def _stand_in(name: str, ready: set[str]) -> str:
    """The first of the fallback chain that is ready; every chain ends in the catalog itself."""
    strategy = Strategy(name) if name in Strategy.__members__.values() else Strategy.PERSONAL
    return next((other for other in FALLBACKS[strategy] if other in ready), "the catalog by product id")


def _counted(unit: str, least: int, has: Callable[[View], int]) -> Callable[[View, int], SourceReadiness]:
    """A small catalog needs no more than half of its products."""

    def measure(view: View, waiting: int) -> SourceReadiness:
        needs = max(1, min(least, (len(view.products) + 1) // 2))
        return SourceReadiness("", has(view), needs, unit)

    return measure


def _similar(view: View, waiting: int) -> SourceReadiness:
    return SourceReadiness("", max(0, len(view.products) - waiting), ALIKE, "products with a vector")


def _sessions(view: View, waiting: int) -> SourceReadiness:
    return SourceReadiness("", view.snapshot.sessions.count if view.snapshot else 0, SESSIONS, "sessions")


def _paired(ptr: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    return int(np.count_nonzero(np.diff(np.asarray(ptr))))


def _tasteful(view: View) -> int:
    return int(np.count_nonzero((view.products.leaf >= 0) | (view.products.brand >= 0)))


def _wanted(view: View) -> int:
    """As of the newest event."""
    return int(np.count_nonzero(view.popularity.popular(len(view.products), np.inf)))


def _rising(view: View) -> int:
    return int(np.count_nonzero(view.popularity.trending(len(view.products), np.inf)))


_MEASURES: Mapping[str, Callable[[View, int], SourceReadiness]] = MappingProxyType(
    {
        "similar": _similar,
        "session": _sessions,
        "viewed_together": _counted(
            "products seen with others", PAIRED, lambda v: _paired(v.snapshot.viewed.ptr) if v.snapshot else 0
        ),
        "bought_together": _counted(
            "products bought with others", PAIRED, lambda v: _paired(v.snapshot.bought.ptr) if v.snapshot else 0
        ),
        "collaborative": _counted(
            "products that two visitors had", PAIRED, lambda v: len(v.snapshot.collaborative.rows) if v.snapshot else 0
        ),
        "personal": _counted("products with a category or brand", LIST, _tasteful),
        "popular": _counted("products with events", LIST, _wanted),
        "trending": _counted("products that rise", LIST, _rising),
        "new": _counted("products", LIST, lambda view: len(view.products)),
    }
)
