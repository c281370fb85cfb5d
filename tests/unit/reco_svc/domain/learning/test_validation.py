"""What of a log is asked, and from which length a session is no visit any more."""

import numpy as np

from reco_svc.domain.fading import Fading
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.sessions import session_index
from reco_svc.domain.learning.validation import SHORTEST_LONG, known_answers, longer_than_visits
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.sources.session import neighbour_scores


def events(sessions: list[tuple[int, list[int], int]]) -> LearningEvents:
    """Of (visitor, rows, day) in order; a step takes a second."""
    steps = [(v, s, row, day * 86_400 + at) for s, (v, rows, day) in enumerate(sessions) for at, row in enumerate(rows)]
    visitor, session, row, at_s = (np.array(column, np.int64) for column in zip(*steps, strict=True))
    return LearningEvents(visitor, session, np.full(len(row), -1), row, at_s, np.ones(len(row), np.float32))


def test_a_session_is_long_when_it_is_longer_than_nearly_all_others():
    short = [(v, [0, 1, 2], v) for v in range(400)]
    assert longer_than_visits(events(short)) == SHORTEST_LONG
    carts = [(v, list(range(40)), v) for v in range(400)]
    assert longer_than_visits(events(carts)) == 40
    assert longer_than_visits(events([(v, list(range(300)), v) for v in range(4)])) == MAX_STEPS
    assert longer_than_visits(events([(0, [7], 0)])) == MAX_STEPS  # nothing is known of visits


def test_long_histories_are_asked_as_sessions_too():
    known = [(v, list(range(30)), v) for v in range(10)]
    late = [(v, [40, 41], 20 + v) for v in range(10)]
    asked = known_answers(events(known + late), 20 * 86_400, long=20)
    sizes = {len(a.question.session_rows) for a in asked if not len(a.question.history_rows)}
    assert 30 in sizes
    fading = Fading(long=20)
    assert all(fading.is_past(a.question) for a in asked if len(a.question.session_rows) == 30)


def test_sessions_fade_apart_for_visits_and_for_earlier_ones():
    log = events([(0, [0, 1], 0), (1, [0, 2], 100)])
    index = session_index(log, 3, float(log.at_s.max()), half_life_days=1e6, past_half_life_days=10.0)

    def share_of_the_old(*, past: bool) -> float:
        rows, scores, _ = neighbour_scores((index,), np.array([0]), np.ones(1, np.float32), past=past)
        found = dict(zip(rows.tolist(), scores.tolist(), strict=True))
        return found.get(1, 0.0) / found[2]

    assert share_of_the_old(past=False) > 0.9
    assert share_of_the_old(past=True) < 0.01
