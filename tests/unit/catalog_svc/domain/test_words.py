import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_svc.domain.words import MAX_QUERY_WORDS, document_of, query_words, words_of
from tests.support.catalog import FULL, product


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Blue Boxes, Café!", ["blue", "box", "cafe"]),
        ("candles candies glasses houses dishes", ["candle", "candy", "glass", "house", "dish"]),
        ("glass bus iris gas ties", ["glass", "bus", "iris", "gas", "tie"]),
        ("T-LIGHT 0.5kg x_y", ["t", "light", "0", "5kg", "x", "y"]),
        ("İstanbul STRASSE Straße", ["istanbul", "strasse", "strasse"]),
        ("ﬁne ＦＵＬＬ", ["fine", "full"]),
        ("日本茶", ["日", "本", "茶"]),
        ("한국어 книги", ["한", "국", "어", "книги"]),
        ("?! 💥 --", []),
        ("", []),
    ],
)
def test_words_have_one_form(text, wanted):
    assert words_of(text) == wanted


def test_a_query_has_each_word_once_and_not_too_many():
    assert query_words("mug mugs MUG red") == ["mug", "red"]
    assert len(query_words(" ".join(f"w{n}" for n in range(100)))) == MAX_QUERY_WORDS


def test_a_product_is_found_by_its_names():
    document = document_of(FULL)
    assert document.title == ("blue", "mug")
    assert {"acme", "kitchen", "gift", "new", "1", "4006381333931"} <= set(document.names)
    assert "dishwasher" in document.description


@given(st.text())
def test_words_are_letters_and_digits_of_bounded_length(text):
    for word in words_of(text):
        assert word.isalnum()
        assert 1 <= len(word) <= 40


@given(st.text())
def test_case_does_not_matter(text):
    if text.upper().lower() == text.lower() and text.isascii():
        assert words_of(text.upper()) == words_of(text)


@given(st.text(min_size=1, max_size=30))
def test_a_product_is_found_by_its_own_title(title):
    assert set(query_words(title)) <= set(document_of(product("x", title)).title)
