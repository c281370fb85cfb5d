from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meshkit.filtering import PRODUCT_FIELDS, folded_path, parse, path_keys, predicate, text_pattern, word_text

KNIFE: dict[str, object] = {
    "product_id": "85123A",
    "title": "Chef’s Knife, T-Light STRASSE",
    "categories": ["Home > Kitchen > Knives", "Gifts"],
    "brand": "Norrland",
    "price": 49.95,
    "availability": "in_stock",
    "in_stock": True,
    "tags": ["Sale", "eco"],
    "attributes": {"color": "Dark Red", "size": "20 cm", "empty": ""},
    "created_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
    "description": "",
    "expires_at": None,
}


def passes(text: str) -> bool:
    return predicate(parse(text, PRODUCT_FIELDS))(KNIFE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "product_id = 85123a",
        "brand = NORRLAND",
        "brand = norr*",
        "brand = *land",
        "brand = *rrl*",
        "brand = *",
        "brand != Acme",
        "brand != Acme*",
        'title:"straße"',
        'title:"t light"',
        "title:knife",
        "title:*",
        "price < 50 price <= 49.95 price >= 49.95 price > 49 price = 49.95 price != 50",
        "in_stock",
        "categories:kitchen",
        'categories:"home > kitchen"',
        'category:"Home>Kitchen>Knives"',
        'category = "home > kitchen > knives"',
        "category:gifts",
        "category:*",
        "tags:sale",
        "tags = SALE",
        "tags:*",
        "attributes:color",
        'attributes.color = "dark red"',
        "attributes.color = dark*",
        "attributes.color:red",
        "attributes.color != blue",
        "created_at > 2026-01-31",
        'created_at = "2026-01-31T13:00:00+01:00"',
        "NOT description:*",
        "NOT expires_at < 2030-01-01",
        "NOT gtin = 5",
        "brand = x OR in_stock",
        "-(brand = x)",
    ],
)
def test_the_knife_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "brand = norr",
        "brand != norrland",
        "brand != norr*",
        "title:kni",
        'title:"knife chef"',
        "price < 49.95",
        "-in_stock",
        "in_stock != true",
        "categories = kitchen",
        'categories:"kitchen > knives"',
        'categories:"home > kit"',
        "categories:kit",
        "tags:sal",
        "attributes:weight",
        "attributes.weight != 5",
        "attributes:empty",
        "created_at < 2026-01-31",
        "description:*",
        "description = *",
        "expires_at < 2030-01-01",
        "expires_at != 2030-01-01",
        "gtin != 5",
        "brand = x OR price > 50 in_stock",
    ],
)
def test_the_knife_does_not_pass(text: str) -> None:
    assert not passes(text)


def test_a_record_without_any_value_passes_only_negations() -> None:
    assert not predicate(parse("in_stock", PRODUCT_FIELDS))({})
    assert predicate(parse("-in_stock -tag:x -category:* -attributes:x", PRODUCT_FIELDS))({})


def test_words_are_folded_and_stand_between_spaces() -> None:
    assert word_text("T-Light, ROT") == " t light rot "
    assert word_text("--") == ""


def test_a_path_is_found_by_its_prefixes_and_its_parts() -> None:
    assert path_keys("Home>Kitchen > Knives") == {
        "home",
        "home > kitchen",
        "home > kitchen > knives",
        "kitchen",
        "knives",
    }
    assert path_keys(" > ") == frozenset()
    assert folded_path(" A>  b >") == "a > b"


def test_a_star_opens_an_end_of_the_text() -> None:
    assert text_pattern("Ab*").open_end
    assert text_pattern("*ab").open_start
    assert text_pattern("*") == text_pattern("**".removeprefix("*"))
    assert text_pattern("a*b").text == "a*b"
