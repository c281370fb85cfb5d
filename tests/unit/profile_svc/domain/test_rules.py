import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshkit.errors import InvalidArgument
from profile_svc.domain.model import Preferences, Price, Segment
from profile_svc.domain.rules import checked_preferences, checked_segment, checked_visitor_id, visitor_hash


def wrong_fields(**fields: object) -> set[str]:
    with pytest.raises(InvalidArgument) as caught:
        checked_preferences(Preferences(**{"visitor_id": "v1", **fields}))
    return {v.field for v in caught.value.violations}


@pytest.mark.parametrize("visitor_id", ["", "a" * 129, "é" * 65, "a\nb", "a\x00", "a\x85", "\ud800"])
def test_an_odd_visitor_id_is_refused(visitor_id):
    with pytest.raises(InvalidArgument):
        checked_visitor_id(visitor_id)


@pytest.mark.parametrize("visitor_id", ["a", "a" * 128, "é" * 64, "a b/c?d=é", "../etc"])
def test_any_other_text_of_128_bytes_is_an_id(visitor_id):
    assert checked_visitor_id(visitor_id) == visitor_id


def test_texts_are_trimmed_paths_are_normal_and_repeats_go():
    normal = checked_preferences(
        Preferences("v1", categories=(" Home>Kitchen ", "Home > Kitchen", "Gifts"), brands=("Acme ", "Acme"))
    )
    assert normal.categories == ("Home > Kitchen", "Gifts")
    assert normal.brands == ("Acme",)


def test_every_wrong_field_is_named_at_once():
    assert wrong_fields(
        categories=("ok", "a > > b"),
        brands=("x" * 201,),
        excluded_categories=tuple(f"c{i}" for i in range(51)),
        price_min=Price(-1, "EUR"),
        price_max=Price(5, "euro"),
    ) == {"categories[1]", "brands[0]", "excluded_categories", "price_min", "price_max.currency_code"}


def test_the_limits_themselves_are_allowed():
    checked_preferences(
        Preferences(
            "v1",
            categories=("x" * 500,),
            brands=tuple(f"{i:0200d}" for i in range(50)),
            price_min=Price(10**12, "EUR"),
            price_max=Price(10**12, "EUR"),
        )
    )


def test_the_price_band_has_one_currency_and_the_right_order():
    assert wrong_fields(price_min=Price(1, "EUR"), price_max=Price(2, "USD")) == {"price_max.currency_code"}
    assert wrong_fields(price_min=Price(3, "EUR"), price_max=Price(2, "EUR")) == {"price_max"}
    assert wrong_fields(price_max=Price(float("nan"), "EUR")) == {"price_max"}


@pytest.mark.parametrize("name", ["", "A", "a b", "a" * 65, "é", "a\n"])
def test_a_segment_name_is_a_short_plain_word(name):
    with pytest.raises(InvalidArgument):
        checked_segment(Segment(name, "", "opted_out"))


def test_a_segment_needs_a_filter():
    with pytest.raises(InvalidArgument) as caught:
        checked_segment(Segment("all", "All", "  "))
    assert caught.value.violations[0].field == "filter"


def test_the_hash_does_not_show_the_id():
    assert "visitor" not in visitor_hash("visitor")
    assert len(visitor_hash("visitor")) == 64


@given(st.lists(st.text(max_size=20), max_size=8))
def test_normal_form_is_stable(texts):
    try:
        once = checked_preferences(Preferences("v", categories=tuple(texts), brands=tuple(texts)))
    except InvalidArgument:
        return
    assert checked_preferences(once) == once
