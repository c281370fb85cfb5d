"""Lists reach as far as those of item-kNN, if that costs next to nothing."""

import numpy as np

from reco_svc.domain.blend import Blended
from reco_svc.domain.learning.reaching import learn_reach
from reco_svc.domain.reach import NEVER, Place
from tests.unit.reco_svc.domain.learning.test_blending import asked

HUBS = list(range(39))
LISTS = 90


def listed(*rows: int) -> Blended:
    found = np.array(rows, np.int64)
    scores, parts = np.ones(len(rows), np.float32), np.ones((1, len(rows)), np.float32)
    return Blended(found, scores, ("any",), parts, np.arange(len(rows), dtype=np.int32)[None])


def with_one_of_its_own(at: int, place: int) -> Blended:
    return listed(*HUBS[:place], 40 + at, *HUBS[place:])


def rival(products: int) -> list[np.ndarray]:
    return [np.array([1_000 + at % products]) for at in range(LISTS)]


def chosen(place: int, relevant: int, products: int) -> Place:
    lists = [with_one_of_its_own(at, place) for at in range(LISTS)]
    return learn_reach([asked(2, relevant)] * LISTS, lists, [rival(products)], 2_000).places["auto"]


def test_a_reach_that_costs_nothing_is_as_wide_as_that_of_item_knn():
    assert chosen(14, 0, 90) == Place(1, 20)
    assert chosen(24, 0, 90) == Place(1, 30)


def test_a_blend_that_reaches_as_far_stays_as_it_is():
    assert chosen(14, 0, 10) == NEVER


def test_where_the_tenth_place_is_right_it_is_not_given_away():
    assert chosen(14, 9, 90) == NEVER


def test_halves_that_exchange_what_they_lack_reach_no_further():
    lists = [with_one_of_its_own(at % 2, 14) for at in range(LISTS)]
    assert learn_reach([asked(2, 0)] * LISTS, lists, [rival(11)], 2_000).places["auto"] == NEVER


def test_what_lists_show_is_counted_near_their_top():
    lists = [with_one_of_its_own(at, 35) for at in range(LISTS)]
    shown = learn_reach([asked(2, 0)] * LISTS, lists, [rival(1)], 2_000).shown
    assert shown[0] == LISTS
    assert shown[40] == 0


def test_of_few_questions_nothing_is_learned():
    lists = [with_one_of_its_own(at, 14) for at in range(79)]
    assert not learn_reach([asked(2, 0)] * 79, lists, [rival(90)[:79]], 2_000).places
    assert not learn_reach([], [], [], 5).places


def test_what_many_lists_show_is_damped_where_that_is_better():
    lists = [with_one_of_its_own(at, 2) for at in range(LISTS)]
    answers = [asked(2, 40 + at) for at in range(LISTS)]
    assert learn_reach(answers, lists, [rival(1)], 2_000).places["auto"].damping > 0
