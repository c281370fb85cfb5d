from math import floor, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_svc.domain.word_scores import (
    ALL_WORDS_BONUS,
    COMMON_PRODUCTS,
    RARITY_UNIT,
    WordQuery,
    rarity,
    word_query,
    word_score,
)
from catalog_svc.domain.words import MAX_QUERY_WORDS

MOST = COMMON_PRODUCTS + 1


def counts(*numbers):
    def counted(words, most):
        assert most == MOST
        assert len(words) == len(numbers) - 1
        return numbers

    return counted


@pytest.mark.parametrize(
    ("having", "products", "wanted"),
    [(1, 1, 16), (50, 100, 25), (1, 100, 106), (0, 100, 106), (1, MOST, 196), (MOST, MOST, 16), (0, 0, 0)],
)
def test_rare_words_weigh_more(having, products, wanted):
    assert rarity(having, products) == wanted


@given(st.integers(1, MOST), st.integers(0, MOST))
def test_rarity_is_a_logarithm_in_sixteenths(having, more):
    products = having + more
    assert rarity(having, products) == floor(16 * log2(1 + products / having))


def test_a_single_word_is_not_counted():
    assert word_query(["mug"], counts()) == WordQuery({"mug": RARITY_UNIT}, ("mug",))


def test_words_of_very_many_products_find_nothing_beside_a_rarer_one():
    query = word_query(["the", "mug", "unheard"], counts(MOST, MOST, 80, 0))
    assert query.words == ("the", "mug", "unheard")
    assert query.telling == ("mug",)
    assert word_query(["the", "and"], counts(MOST, MOST, MOST)).telling == ("the", "and")


def test_a_word_weighs_most_in_a_title():
    query = WordQuery({"mug": 16}, ("mug",))
    assert word_score(query, {"mug"}, set(), {"mug"}, 1) == 1.0
    assert word_score(query, {"red"}, {"mug"}, {"red", "mug"}, 2) == 0.5
    assert word_score(query, {"red"}, set(), {"red", "mug"}, 2) == 0.1
    assert word_score(query, set(), set(), set(), 0) == 0.0
    assert word_score(query, {"mug"}, set(), {"mug"}, 64) == word_score(query, {"mug"}, set(), {"mug"}, 500)


def test_the_bonus_is_above_every_score():
    words = {f"w{n}": rarity(1, MOST) for n in range(MAX_QUERY_WORDS)}
    assert word_score(WordQuery(words, ()), words, words, words, 0) < ALL_WORDS_BONUS
