import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.novelty import toward_rare
from reco_svc.domain.popularity import Popularity

numbers = st.floats(0.01, 1.0)


def _mean_log_of_best(rarity: np.ndarray, scores: np.ndarray, k: int) -> float:
    return float(np.log(rarity[np.argsort(-scores, kind="stable")[:k]]).mean())


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=4, max_size=30))
def test_the_more_novelty_is_asked_for_the_rarer_the_best_become(pairs: list[tuple[float, float]]) -> None:
    scores, rarity = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
    told = [_mean_log_of_best(rarity, toward_rare(scores, rarity, at), 3) for at in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert all(later >= before - 1e-4 for before, later in itertools.pairwise(told))


def test_no_novelty_leaves_scores_alone_and_full_novelty_forgets_them() -> None:
    scores, rarity = np.array([3.0, 2.0, 0.0], np.float32), np.array([0.2, 0.9, 1.0], np.float32)
    assert toward_rare(scores, rarity, 0.0) is scores
    assert np.allclose(toward_rare(scores, rarity, 1.0), [0.2, 0.9, 0.0])  # what may not be shown stays at 0


def test_rarity_is_self_information() -> None:
    rows, at_s = np.array([0] * 90 + [1] * 10), np.zeros(100, np.int64)
    rarity = Popularity.of_events(rows, at_s, np.ones(100, np.float32), 3).rarity(np.array([0, 1, 2, 7]))
    assert rarity[0] < rarity[1] < rarity[2] == rarity[3] == 1.0
    assert np.isclose(rarity[1] / rarity[0], np.log(10) / np.log(10 / 9), rtol=0.1)


def test_a_shop_without_events_has_only_rare_products() -> None:
    assert Popularity().rarity(np.array([0, 5])).tolist() == [1.0, 1.0]
