import pytest
from hypothesis import given
from hypothesis import strategies as st
from recomesh.catalog.v1 import catalog_pb2

from meshkit.errors import InvalidArgument
from meshkit.product_card import card_from_proto, money_from_float, money_to_float, product_from_card

FULL = {
    "product_id": "mug-1",
    "title": "Blue mug",
    "description": "Holds 0.3 l",
    "categories": ["Home > Kitchen > Mugs", "Gifts"],
    "brand": "Acme",
    "price": 19.99,
    "sale_price": 9.5,
    "currency": "EUR",
    "availability": "preorder",
    "group_id": "mug",
    "image_url": "/img/mug.png",
    "url": "https://shop.example/mug",
    "gtin": "4006381333931",
    "attributes": {"color": "blue"},
    "tags": ["new"],
    "created_at": "2026-01-02T03:04:05Z",
    "expires_at": "2027-01-02T03:04:05.250000Z",
    "hidden": True,
}


def violations(card: object, where: str = "") -> dict[str, str]:
    with pytest.raises(InvalidArgument) as caught:
        product_from_card(card, where)
    return {v.field: v.description for v in caught.value.violations}


def test_a_full_card_survives_the_way_to_protobuf_and_back():
    assert card_from_proto(product_from_card(FULL)) == FULL


def test_what_was_read_can_be_written_back_with_its_output_only_fields():
    assert card_from_proto(product_from_card({**FULL, "revision": 7, "updated_at": "2026-01-01T00:00:00Z"})) == FULL


def test_an_unknown_price_is_null_and_unset_optional_fields_are_left_out():
    card = card_from_proto(catalog_pb2.Product(product_id="a", title="A"))
    assert card["price"] is None
    assert card["currency"] is None
    assert not {"sale_price", "group_id", "gtin", "created_at", "expires_at"} & set(card)
    assert card["availability"] == "in_stock"


def test_null_means_not_set():
    product = product_from_card({"product_id": "a", "title": "A", "price": None, "tags": None, "currency": None})
    assert product == catalog_pb2.Product(product_id="a", title="A")


def test_every_wrong_field_is_named_at_once():
    found = violations({"colour": 1, "title": 5, "price": "19", "tags": "x", "hidden": "yes"}, "products[3]")
    assert set(found) == {f"products[3].{f}" for f in ("colour", "title", "price", "tags", "hidden")}
    assert "unknown field" in found["products[3].colour"]


@pytest.mark.parametrize("price", [-1, 1e300, float("nan"), float("inf"), True, 10**400, "1", [], {}])
def test_an_odd_price_is_refused(price):
    assert "price" in violations({"product_id": "a", "price": price, "currency": "EUR"})


@pytest.mark.parametrize(
    ("card", "field"),
    [
        ({"price": 1}, "currency"),
        ({"price": 1, "currency": ""}, "currency"),
        ({"price": 1, "currency": 5}, "currency"),
        ({"price": 1, "currency": "\ud800"}, "currency"),
        ({"sale_price": 1, "currency": "EUR"}, "sale_price"),
        ({"availability": "soon"}, "availability"),
        ({"availability": []}, "availability"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2026-01-01T00:00:00"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at"),
        ({"title": "\ud800"}, "title"),
        ({"attributes": {"a": None}}, "attributes"),
        ({"attributes": []}, "attributes"),
        ({"categories": [1]}, "categories"),
        ([], "product"),
        (None, "product"),
    ],
)
def test_an_odd_card_is_refused_by_field(card, field):
    assert field in violations(card)


def test_attribute_numbers_and_flags_become_texts():
    assert dict(product_from_card({"attributes": {"w": 5, "x": 1.5, "y": True}}).attributes) == {
        "w": "5",
        "x": "1.5",
        "y": "true",
    }


@given(st.floats(0, 1e12))
def test_money_gives_back_the_same_float_to_nine_places(amount):
    assert money_to_float(money_from_float(amount, "EUR")) == pytest.approx(amount, abs=1e-9)


@given(st.integers(0, 10**12))
def test_cents_are_exact(cents):
    assert money_to_float(money_from_float(cents / 100, "EUR")) == cents / 100
