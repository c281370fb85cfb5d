import numpy as np

from reco_svc.domain.evaluation.splitting import Split, held_out, time_of_cut
from reco_svc.domain.learning.events import LearningEvents


def _log(*steps: tuple[int, int, int, int], weights: dict[int, float] | None = None) -> LearningEvents:
    """(visitor, session, row, time) in time order; `weights` by place."""
    visitor, session, row, at_s = (np.array(column, np.int64) for column in zip(*steps, strict=True))
    weight = np.ones(len(steps), np.float32)
    for place, value in (weights or {}).items():
        weight[place] = value
    return LearningEvents(visitor, session, np.full(len(steps), -1), row, at_s, weight)


PAST = [(0, 0, 1, 10), (0, 0, 2, 11), (1, 1, 3, 12), (1, 1, 4, 13)]


def test_the_newest_share_of_the_sessions_lies_behind_the_cut() -> None:
    events = _log(*((0, at, 0, at * 10) for at in range(20)))
    assert time_of_cut(events, 0.1) == 180
    assert time_of_cut(events, 0.5) == 100


def test_a_session_is_asked_in_its_middle() -> None:
    held = held_out(_log(*PAST, (7, 2, 1, 20), (7, 2, 1, 21), (7, 2, 2, 22), (7, 2, 3, 23)), 20, Split.SESSION)
    assert [(h.history.tolist(), h.relevant.tolist(), h.visitor) for h in held] == [([1], [2, 3], -1)]


def test_a_session_that_began_before_the_cut_is_not_asked_about() -> None:
    assert not held_out(_log(*PAST, (7, 2, 1, 19), (7, 2, 2, 22), (7, 2, 3, 23)), 20, Split.SESSION)


def test_products_unknown_before_the_cut_and_unwanted_ones_are_not_asked_for() -> None:
    late = ((7, 2, 1, 20), (7, 2, 99, 21), (7, 2, 3, 22), (7, 2, 4, 23))
    (held,) = held_out(_log(*PAST, *late, weights={6: -2.0}), 20, Split.SESSION)
    assert (held.history.tolist(), held.relevant.tolist()) == ([1], [4])


def test_the_next_visit_is_asked_for_what_is_new_to_the_visitor() -> None:
    later = ((0, 2, 1, 20), (0, 2, 3, 21), (0, 3, 4, 30), (9, 4, 1, 31))
    (held,) = held_out(_log(*PAST, *later), 20, Split.NEXT)
    assert (held.history.tolist(), held.relevant.tolist(), held.visitor) == ([1, 2], [3], 0)


def test_an_empty_log_has_no_questions() -> None:
    none = np.empty(0, np.int64)
    empty = LearningEvents(none, none, none, none, none, np.empty(0, np.float32))
    assert time_of_cut(empty, 0.1) == 0
    assert held_out(empty, 0, Split.SESSION) == []
