import pytest

from catalog_svc.transport.admin.product_form import FIELDS, form_of, product_of_form
from meshkit.errors import InvalidArgument
from tests.support.catalog import FULL


def test_a_product_survives_the_form():
    assert product_of_form(form_of(FULL)) == FULL


def test_an_empty_form_is_an_empty_product():
    product = product_of_form(dict.fromkeys(FIELDS, ""))
    assert (product.product_id, product.price, product.hidden) == ("", None, False)


def test_browsers_line_breaks_become_plain():
    product = product_of_form({"title": "t", "description": "a\r\nb", "tags": "x\r\ny", "attributes": "k=v=w\r\n"})
    assert (product.description, product.tags, product.attributes) == ("a\nb", ("x", "y"), {"k": "v=w"})


def test_a_decimal_comma_is_understood():
    assert product_of_form({"price": "9,50", "currency": "EUR"}).price == 9.5


def test_every_wrong_field_is_named():
    with pytest.raises(InvalidArgument) as caught:
        product_of_form({"price": "cheap", "expires_at": "soon", "attributes": "colour", "availability": "maybe"})
    assert {v.field for v in caught.value.violations} == {"price", "expires_at", "attributes", "availability"}
