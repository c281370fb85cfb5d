"""Some of the first ten places go to what few lists have."""

import numpy as np

from reco_svc.domain.model import Strategy
from reco_svc.domain.reach import NEVER, Place, Reach
from tests.unit.reco_svc.domain.learning.test_blending import asked

ROWS = np.arange(40)
SCORES = np.linspace(1.0, 0.9, 40).astype(np.float32)
SHOWN = np.where(ROWS == 17, 1, 9).astype(np.int32)


def test_the_tenth_place_goes_to_the_one_that_fewest_lists_had():
    order = Reach(SHOWN).given(ROWS, SCORES, 20, Place(1, 20))
    assert order.tolist() == [*range(9), 17, *range(9, 17), 18, 19]
    assert 17 not in Reach(SHOWN).given(ROWS, SCORES, 10, Place(1, 17)).tolist()  # it stands further down


def test_two_places_go_to_two():
    shown = np.where(ROWS == 30, 2, SHOWN).astype(np.int32)
    assert Reach(shown).given(ROWS, SCORES, 10, Place(2, 40)).tolist() == [*range(8), 17, 30]


def test_alike_ones_keep_their_order():
    assert Reach(np.ones(40, np.int32)).given(ROWS, SCORES, 20, Place(2, 40)).tolist() == list(range(20))


def test_a_product_newer_than_the_training_counts_as_never_shown():
    assert Reach(np.ones(20, np.int32)).given(ROWS, SCORES, 10, Place(1, 40))[9] == 20


def test_what_was_buried_stays_buried():
    scores = SCORES.copy()
    scores[17] = 0.1
    assert Reach(SHOWN).given(ROWS, scores, 20, Place(1, 40)).tolist() == list(range(20))


def test_shorter_lists_and_strategies_of_which_nothing_was_learned_stay_as_they_are():
    assert Reach(SHOWN).given(ROWS[:8], SCORES[:8], 20, Place(2, 40)).tolist() == list(range(8))
    reach = Reach(SHOWN, {"auto": Place(1, 30)})
    assert reach.of(Strategy.AUTO, asked(2, 1).question) == Place(1, 30)
    assert reach.of(Strategy.SIMILAR, asked(2, 1).question) == NEVER
    assert Reach().of(Strategy.AUTO, asked(2, 1).question) == NEVER


def test_what_many_lists_had_counts_for_less():
    reach, scores = Reach(np.array([0, 15, 99], np.int32)), np.ones(4, np.float32)
    damped = reach.damped(np.array([2, 1, 0, 7]), scores, Place(0, 10, 0.5))
    np.testing.assert_allclose(damped, [0.1, 0.25, 1.0, 1.0])  # the last is newer than the training
    assert reach.damped(np.array([2, 1, 0, 7]), scores, NEVER) is scores
