"""What visitors would ask now."""

import numpy as np

from reco_svc.domain.fading import Fading
from reco_svc.domain.learning import current
from reco_svc.domain.learning.current import current_questions
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.question import Kind, Question
from tests.unit.reco_svc.domain.learning.test_validation import events


def told(question: Question) -> tuple[list[int], list[int]]:
    return question.session_rows.tolist(), question.history_rows.tolist()


def test_visitors_who_came_again_are_asked_for_what_comes_next_whoever_came_last_first():
    log = events([(0, [1, 2], 0), (1, [3], 1), (1, [4, 3], 2), (2, [5], 3), (0, [6], 4)])
    asked = [told(question) for question in current_questions(log, long=20)]
    assert asked[:2] == [([], [1, 2, 6]), ([], [4, 3])]
    assert all(question.now_s == log.at_s.max() for question in current_questions(log, long=20))


def test_the_newest_sessions_are_asked_whole_and_every_other_one_with_what_else_the_visitor_had():
    log = events([(0, [1, 2, 1], 0), (0, [2, 5], 1)])
    assert [told(question) for question in current_questions(log, long=20)[1:]] == [([2, 5], []), ([1, 2], [5])]


def test_a_history_longer_than_a_visit_is_asked_as_a_session_too():
    log = events([(0, list(range(150)), 0), (0, [150], 1)])
    as_history, as_session, *_ = current_questions(log, long=30)
    assert told(as_history) == ([], list(range(151)))
    assert told(as_session) == (list(range(151 - MAX_STEPS, 151)), [])
    assert [Fading(long=30).kind(question) for question in (as_history, as_session)] == [Kind.RETURN, Kind.LONG]


def test_no_more_is_asked_than_it_takes(monkeypatch):
    monkeypatch.setattr(current, "MOST_QUESTIONS", 5)
    monkeypatch.setattr(current, "MOST_VISITORS", 3)
    log = events([(visitor, [visitor], day) for day in range(2) for visitor in range(9)])
    assert [told(question) for question in current_questions(log, long=20)] == [
        ([], [8]),
        ([], [7]),
        ([], [6]),
        ([8], []),
        ([7], []),
    ]


def test_what_was_taken_back_is_not_told_and_of_nothing_nothing_is_asked():
    log = events([(0, [1, 2], 0)])
    returned = LearningEvents(*(getattr(log, name) for name in log.__slots__[:-1]), np.array([-1, 1], np.float32))
    assert [told(question) for question in current_questions(returned, long=20)] == [([2], [])]
    assert current_questions(log.take(log.row < 0), long=20) == []
