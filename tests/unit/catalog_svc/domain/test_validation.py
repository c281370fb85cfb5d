from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_svc.domain.validation import id_violation, is_gtin, violations_of
from tests.support.catalog import FULL


def wrong_fields(**changes) -> list[str]:
    return [v.field for v in violations_of(replace(FULL, **changes))]


def test_a_full_product_is_valid():
    assert wrong_fields() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"product_id": "x" * 128},
        {"product_id": "é" * 64},
        {"product_id": "a/b c>d"},
        {"title": "x" * 500},
        {"title": "漢" * 500},
        {"description": "line\n\ttab\r\n" + "x" * 19_980},
        {"categories": ("x" * 500,) * 20},
        {"brand": "x" * 200},
        {"price": 0.0, "sale_price": 0.0},
        {"price": 1e12},
        {"price": None, "sale_price": None, "currency": ""},
        {"sale_price": 99.0},
        {"image_url": "https://h/" + "x" * 1990, "url": "/"},
        {"image_url": "HTTP://h"},
        {"gtin": ""},
        {"attributes": {f"k.{n}_-": "v" * 1_000 for n in range(100)}},
        {"attributes": {"k": "a\nb"}},
        {"tags": ("x" * 100,) * 100},
    ],
    ids=str,
)
def test_what_is_within_the_limits_is_valid(changes):
    assert wrong_fields(**changes) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("product_id", {"product_id": ""}),
        ("product_id", {"product_id": "x" * 129}),
        ("product_id", {"product_id": "é" * 65}),
        ("product_id", {"product_id": "a\nb"}),
        ("product_id", {"product_id": "a\x00"}),
        ("product_id", {"product_id": "a\x85"}),
        ("title", {"title": ""}),
        ("title", {"title": " \u3000"}),
        ("title", {"title": "x" * 501}),
        ("title", {"title": "a\nb"}),
        ("description", {"description": "x" * 20_001}),
        ("description", {"description": "a\x00b"}),
        ("categories", {"categories": ("a",) * 21}),
        ("categories[1]", {"categories": ("a", "x" * 501)}),
        ("categories[0]", {"categories": ("",)}),
        ("categories[0]", {"categories": ("a\tb",)}),
        ("brand", {"brand": "x" * 201}),
        ("price", {"price": -0.01}),
        ("price", {"price": float("nan")}),
        ("price", {"price": float("inf")}),
        ("price", {"price": 1.1e12}),
        ("sale_price", {"sale_price": -1.0}),
        ("sale_price", {"price": None, "sale_price": 1.0, "currency": ""}),
        ("currency", {"currency": ""}),
        ("currency", {"currency": "eur"}),
        ("currency", {"currency": "EURO"}),
        ("currency", {"currency": "EU\n"}),
        ("group_id", {"group_id": "x" * 129}),
        ("group_id", {"group_id": "\x1f"}),
        ("image_url", {"image_url": "javascript:alert(1)"}),
        ("image_url", {"image_url": "//evil.example/x"}),
        ("image_url", {"image_url": "img.png"}),
        ("image_url", {"image_url": "data:text/html,x"}),
        ("url", {"url": "https://"}),
        ("url", {"url": "https://a b"}),
        ("url", {"url": "/" + "x" * 2_000}),
        ("url", {"url": "/a\n"}),
        ("gtin", {"gtin": "4006381333932"}),
        ("gtin", {"gtin": "123"}),
        ("gtin", {"gtin": "٤٠٠٦٣٨١٣٣٣٩٣١"}),
        ("attributes", {"attributes": {f"k{n}": "" for n in range(101)}}),
        ("attributes", {"attributes": {"": "x"}}),
        ("attributes", {"attributes": {"a b": "x"}}),
        ("attributes", {"attributes": {"k\n": "x"}}),
        ("attributes", {"attributes": {"x" * 65: "x"}}),
        ("attributes.k", {"attributes": {"k": "x" * 1_001}}),
        ("attributes.k", {"attributes": {"k": "\x1f"}}),
        ("tags", {"tags": ("a",) * 101}),
        ("tags[0]", {"tags": ("x" * 101,)}),
        ("tags[1]", {"tags": ("a", "")}),
        ("tags[0]", {"tags": ("a\nb",)}),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:40],
)
def test_what_breaks_a_limit_is_named(field, changes):
    assert field in wrong_fields(**changes)


@pytest.mark.parametrize("gtin", ["96385074", "036000291452", "4006381333931", "10012345000017"])
def test_gtins_of_every_length_are_known_by_their_check_digit(gtin):
    assert is_gtin(gtin)


@given(st.sampled_from([7, 11, 12, 13]), st.data())
def test_exactly_one_last_digit_makes_a_gtin(length, data):
    body = "".join(data.draw(st.lists(st.sampled_from("0123456789"), min_size=length, max_size=length)))
    assert sum(is_gtin(body + last) for last in "0123456789") == 1


@given(st.text())
def test_a_valid_id_is_short_and_printable(product_id):
    try:
        size = len(product_id.encode())
    except UnicodeEncodeError:
        return
    if id_violation("f", product_id) is None:
        assert 1 <= size <= 128
