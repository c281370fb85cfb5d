"""What of a log is asked, and from which length a session is no visit any more."""

import numpy as np

from reco_svc.domain.fading import Fading
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.sessions import session_index
from reco_svc.domain.learning.validation import SHORTEST_LONG, held_back, known_answers, longer_than_visits
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
    log = events(known + late)
    asked = known_answers(log, log.at_s >= 20 * 86_400, long=20)
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


def test_where_sessions_are_single_products_the_ends_of_histories_are_asked_too():
    told = [(v, [row], v % 7 * 100 + day) for v in range(60) for day, row in enumerate(range(30))]
    log = events(sorted(told, key=lambda session: session[2]))
    late = held_back(log)
    newest = log.at_s >= np.sort(log.at_s)[int(len(log) * 0.9)]
    ended = set(log.visitor[late & ~newest].tolist())
    assert len(ended) >= 15
    for visitor in ended:
        own = log.visitor == visitor
        assert log.row[own & ~late].max() < log.row[own & late].min()
    answers = known_answers(log, late, long=40)
    assert sum(len(a.question.history_rows) >= 20 for a in answers) >= 15
    assert all(a.question.now_s >= log.at_s[~late].max() for a in answers)


def test_only_the_newest_are_held_back_where_sessions_tell_enough():
    log = events([(v % 20, [3 * v % 50, 3 * v % 50 + 1, 3 * v % 50 + 2], v) for v in range(200)])
    assert (held_back(log) == (log.at_s >= 180 * 86_400)).all()


def test_a_visitor_is_asked_again_once_some_products_came():
    known = [(v, [v, v + 1, v + 2], v) for v in range(10)]
    late = [(v, [20 + 2 * day, 21 + 2 * day], 20 + day) for v in range(10) for day in range(6)]
    log = events(known + late)
    answers = known_answers(log, log.at_s >= 20 * 86_400)
    returns = [a for a in answers if not len(a.question.session_rows)]
    assert sorted({tuple(a.relevant.tolist()) for a in returns}) == [tuple(range(20, 26)), tuple(range(26, 32))]
    assert {len(a.question.history_rows) for a in returns} == {3, 9}
