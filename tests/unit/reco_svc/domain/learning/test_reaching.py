"""Lists reach as far as costs nothing, and as those of item-kNN if that costs next to nothing."""

import numpy as np

from reco_svc.domain.blend import Blended
from reco_svc.domain.learning.reaching import learn_places, lists_with
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import NEVER, Place
from tests.unit.reco_svc.domain.learning.test_blending import asked

HUBS = list(range(39))
LISTS = 90
VISITS = [Kind.VISIT] * LISTS


def listed(*rows: int) -> Blended:
    found = np.array(rows, np.int64)
    scores, parts = np.ones(len(rows), np.float32), np.ones((1, len(rows)), np.float32)
    return Blended(found, scores, ("any",), parts, np.arange(len(rows), dtype=np.int32)[None])


def with_one_of_its_own(at: int, place: int) -> Blended:
    return listed(*HUBS[:place], 40 + at, *HUBS[place:])


def rival(products: int) -> list[np.ndarray]:
    return [np.array([1_000 + at % products]) for at in range(LISTS)]


def chosen(place: int, relevant: list[int], products: int) -> Place:
    lists = [with_one_of_its_own(at, place) for at in range(LISTS)]
    answers = [asked(2, row) for row in relevant]
    return learn_places(answers, VISITS, lists, [rival(products)], 2_000)["auto"]


def test_a_reach_that_costs_nothing_is_taken_however_far_item_knn_reaches():
    assert chosen(14, [0] * LISTS, 10) == Place(1, 20)
    assert chosen(24, [0] * LISTS, 10) == Place(1, 30)


def test_a_reach_that_costs_next_to_nothing_is_taken_where_item_knn_reaches_further():
    seldom = [9 if at % 45 == 0 else 0 for at in range(LISTS)]
    assert chosen(14, seldom, 10) == NEVER
    assert chosen(14, seldom, 90) == Place(1, 20)


def test_where_the_tenth_place_is_right_it_is_not_given_away():
    assert chosen(14, [9] * LISTS, 90) == NEVER


def test_halves_that_exchange_what_they_lack_reach_no_further():
    lists = [with_one_of_its_own(at % 2, 14) for at in range(LISTS)]
    assert learn_places([asked(2, 0)] * LISTS, VISITS, lists, [rival(11)], 2_000)["auto"] == NEVER


def test_each_kind_of_question_has_its_own_choice():
    lists = [with_one_of_its_own(at, 14) for at in range(2 * LISTS)]
    answers = [asked(2, 0)] * LISTS + [asked(2, 9)] * LISTS
    kinds = VISITS + [Kind.LONG] * LISTS
    places = learn_places(answers, kinds, lists, [rival(10) + rival(10)], 2_000)
    assert (places["auto"], places["auto:long"]) == (Place(1, 20), NEVER)


def test_of_few_questions_nothing_is_learned():
    lists = [with_one_of_its_own(at, 14) for at in range(79)]
    assert not learn_places([asked(2, 0)] * 79, VISITS[:79], lists, [rival(90)[:79]], 2_000)
    assert not learn_places([], [], [], [], 5)


def test_what_many_lists_show_is_damped_where_that_is_better():
    lists = [with_one_of_its_own(at, 2) for at in range(LISTS)]
    answers = [asked(2, 40 + at) for at in range(LISTS)]
    assert learn_places(answers, VISITS, lists, [rival(1)], 2_000)["auto"].damping > 0


def test_what_lists_show_is_counted_near_their_top():
    shown = lists_with(VISITS, [with_one_of_its_own(at, 35).rows for at in range(LISTS)], 200)
    assert shown.shape == (len(Kind), 200)
    assert shown[0, 0] == LISTS
    assert shown[0, 40] == 0


def test_lists_are_counted_by_kind_those_of_the_past_together_and_few_of_a_kind_with_all():
    kinds = [Kind.VISIT] * 50 + [Kind.KNOWN] * 10 + [Kind.RETURN] * 30 + [Kind.LONG] * 20
    lists = [np.array([list(Kind).index(kind)]) for kind in kinds]
    assert lists_with(kinds, lists, 4).tolist() == [[50, 0, 0, 0], [50, 10, 30, 20], [0, 0, 30, 20], [0, 0, 30, 20]]


def test_no_list_shows_nothing():
    assert lists_with([], [], 3).tolist() == [[0, 0, 0]] * len(Kind)
