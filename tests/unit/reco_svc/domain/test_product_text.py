"""The text of a product that is embedded."""

from __future__ import annotations

from reco_svc.domain.model import Product
from reco_svc.domain.product_text import FIELDS, product_text

MUG = Product(
    "p1",
    "Kettlewick Umbra Mug, red",
    description="A mug made of stoneware.",
    categories=("Home > Kitchen > Mugs", "Home > Gifts"),
    brand="Kettlewick",
    attributes={"color": "red", "material": "stoneware", "care": "x" * 61},
)


def test_fields_come_in_order_and_nothing_is_told_twice():
    told = "Kettlewick Umbra Mug, red. Home. Kitchen. Mugs. Gifts. stoneware. A mug made of stoneware."
    assert product_text(MUG) == told


def test_a_brand_that_no_title_names_is_told():
    assert product_text(Product("p1", "Mug", brand="Kettlewick")) == "Mug. Kettlewick"


def test_a_word_inside_another_was_not_told():
    assert product_text(Product("p1", "Tiered stand", attributes={"color": "red"})) == "Tiered stand. red"


def test_titles_that_shout_are_calmed():
    assert product_text(Product("p1", "RED RETROSPOT MUG")) == "Red retrospot mug"


def test_fields_can_be_chosen():
    assert [product_text(MUG, (name,)) for name in FIELDS[1:3]] == ["Home. Kitchen. Mugs. Gifts", "Kettlewick"]


def test_a_product_without_words_has_none():
    assert product_text(Product("p1", "")) == ""
