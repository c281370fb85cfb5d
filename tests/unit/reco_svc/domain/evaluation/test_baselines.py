import numpy as np

from reco_svc.domain.evaluation.baselines import ItemKnn, Popularity, baselines, ranked
from reco_svc.domain.learning.events import LearningEvents

DAY_S = 86_400


def _events(*sessions: tuple[int, ...], days: tuple[int, ...] = ()) -> LearningEvents:
    at = [days[s] if days else 0 for s, rows in enumerate(sessions) for _ in rows]
    session = np.array([s for s, rows in enumerate(sessions) for _ in rows], np.int64)
    row = np.array([r for rows in sessions for r in rows], np.int64)
    return LearningEvents(
        session, session, np.full(len(row), -1), row, np.array(at, np.int64) * DAY_S, np.ones(len(row), np.float32)
    )


def test_popularity_counts_half_for_every_week_of_age() -> None:
    popular = Popularity.of(_events((0,), (1,), days=(0, 7)), 3)
    assert popular.scores(np.array([2])).tolist() == [0.5, 1.0, 0.0]


def test_item_knn_is_the_shrunk_cosine_of_sessions_damped_by_column() -> None:
    model = ItemKnn.of(_events((0, 1), (0, 1), (0, 2), (3,)), 4)
    scores = model.scores(np.array([0]))
    near_1, near_2 = 2 / np.sqrt(3 * 2) * 2 / 12, 1 / np.sqrt(3) * 1 / 11
    assert np.allclose(scores[1:3], np.sqrt([near_1, near_2]))  # each has one neighbour: near / √near
    assert scores[1] > scores[2] > scores[3] > 0  # what nothing speaks for comes last, by popularity


def test_item_knn_lets_what_came_last_weigh_most() -> None:
    model = ItemKnn.of(_events((0, 1), (2, 3)), 4)
    scores = model.scores(np.array([0, 2]))
    assert scores[3] > scores[1] > 0
    assert model.scores(np.array([2, 0]))[1] == scores[3]


def test_a_list_leaves_out_what_is_forbidden_or_not_allowed() -> None:
    scores = np.array([5, 4, 3, 2, 0], np.float32)
    allowed = np.array([True, True, False, True, True])
    assert ranked(scores, [0], allowed, 10).tolist() == [1, 3]


def test_equal_scores_keep_the_order_of_rows_however_many_there_are() -> None:
    assert ranked(np.ones(500, np.float32), [0], np.ones(500, bool), 5).tolist() == [1, 2, 3, 4, 5]


def test_a_shop_without_events_has_silent_baselines() -> None:
    empty = _events()
    for baseline in baselines(empty, 3).values():
        assert not baseline.scores(np.array([0])).any()
