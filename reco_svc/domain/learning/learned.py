"""Everything that is learned from events alone, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reco_svc.domain.learning.collaborative import collaborative, without_hubs
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.graphs import TRAIL, Walk, bought_graph, viewed_graph
from reco_svc.domain.learning.sessions import session_index
from reco_svc.domain.snapshot import Collaborative, Graph, SessionIndex

NEVER_FADES = 1e6  # days


@dataclass(frozen=True, slots=True)
class Lesson:
    """Parameters that training chooses by itself.

    The ages at which an event counts half, and a session, within a visit and to a question about earlier ones; λ of
    EASE; `damping` of the hubs of item-kNN; and `walk`, how steps tell of one another.
    """

    half_life_days: float = 120.0
    session_half_life_days: float = 365.0
    past_session_half_life_days: float = 365.0
    regularisation: float = 5.0
    damping: float = 0.25
    walk: Walk = TRAIL


@dataclass(frozen=True, slots=True)
class Learned:
    """What a lesson made of events."""

    viewed: Graph
    bought: Graph
    sessions: SessionIndex
    collaborative: Collaborative

    @classmethod
    def nothing(cls, n: int) -> Learned:
        """Of no events."""
        empty = Graph.empty(n)
        return cls(empty, empty, SessionIndex.empty(n), Collaborative.empty(n))


def sessions_of(events: LearningEvents, n: int, now_s: float, lesson: Lesson) -> SessionIndex:
    """See `session_index`."""
    ages = (lesson.session_half_life_days, lesson.past_session_half_life_days)
    return session_index(events, n, now_s, half_life_days=ages[0], past_half_life_days=ages[1])


def learn(events: LearningEvents, n: int, lesson: Lesson, told: Callable[[str], None] = lambda part: None) -> Learned:
    """Learns over n rows, as of the newest event. `told` hears the name of each part before it is begun."""
    now_s = float(events.at_s.max()) if len(events) else 0.0
    half_life = lesson.half_life_days
    told("neighbours")
    viewed = viewed_graph(events, n, now_s, half_life_days=half_life, walk=lesson.walk)
    bought = bought_graph(events, n, now_s, half_life_days=half_life)
    told("sessions")
    sessions = sessions_of(events, n, now_s, lesson)
    told("histories")
    weights = collaborative(events, n, now_s, half_life_days=half_life, regularisation=lesson.regularisation)
    return Learned(viewed, bought, sessions, without_hubs(weights, lesson.damping))
