"""Some of the first ten places go to what few lists have."""

import numpy as np

from reco_svc.domain.model import Strategy
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import NEVER, Giving, Place, Reach

ROWS = np.arange(40)
SCORES = np.linspace(1.0, 0.9, 40).astype(np.float32)
SHOWN = np.where(ROWS == 17, 1, 9).astype(np.int32)


def test_the_tenth_place_goes_to_the_one_that_fewest_lists_had():
    order = Giving(Place(1, 20), SHOWN).given(ROWS, SCORES, 20)
    assert order.tolist() == [*range(9), 17, *range(9, 17), 18, 19]
    assert 17 not in Giving(Place(1, 17), SHOWN).given(ROWS, SCORES, 10).tolist()  # it stands further down


def test_two_places_go_to_two():
    shown = np.where(ROWS == 30, 2, SHOWN).astype(np.int32)
    assert Giving(Place(2, 40), shown).given(ROWS, SCORES, 10).tolist() == [*range(8), 17, 30]


def test_alike_ones_keep_their_order():
    alike = Giving(Place(2, 40), np.ones(40, np.int32))
    assert alike.given(ROWS, SCORES, 20).tolist() == list(range(20))


def test_a_product_newer_than_the_training_counts_as_never_shown():
    assert Giving(Place(1, 40), np.ones(20, np.int32)).given(ROWS, SCORES, 10)[9] == 20


def test_what_was_buried_stays_buried():
    scores = SCORES.copy()
    scores[17] = 0.1
    assert Giving(Place(1, 40), SHOWN).given(ROWS, scores, 20).tolist() == list(range(20))


def test_shorter_lists_stay_as_they_are():
    assert Giving(Place(2, 40), SHOWN).given(ROWS[:8], SCORES[:8], 20).tolist() == list(range(8))


def test_each_kind_of_question_has_its_place_and_its_counts():
    counts = np.arange(4 * 3, dtype=np.int32).reshape(4, 3)
    reach = Reach(counts, {"auto": Place(1, 30), "auto:long": Place(2, 40)})
    for at, (kind, place) in enumerate(zip(Kind, (Place(1, 30), NEVER, NEVER, Place(2, 40)), strict=True)):
        giving = reach.of(Strategy.AUTO, kind)
        assert (giving.place, giving.shown.tolist()) == (place, counts[at].tolist())


def test_strategies_of_which_nothing_was_learned_stay_as_they_are():
    assert Reach(np.ones((4, 3), np.int32), {"auto": Place(1, 30)}).of(Strategy.SIMILAR, Kind.VISIT).place == NEVER
    assert Reach().of(Strategy.AUTO, Kind.VISIT).place == NEVER


def test_what_many_lists_had_counts_for_less():
    rows, shown, scores = np.array([2, 1, 0, 7]), np.array([0, 15, 99], np.int32), np.ones(4, np.float32)
    damped = Giving(Place(0, 10, 0.5), shown).damped(rows, scores)
    np.testing.assert_allclose(damped, [0.1, 0.25, 1.0, 1.0])  # the last is newer than the training
    assert Giving(NEVER, shown).damped(rows, scores) is scores
