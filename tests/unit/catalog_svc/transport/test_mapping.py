from dataclasses import replace

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st
from recomesh.catalog.v1 import catalog_pb2

from catalog_svc.domain.model import Availability, Change
from catalog_svc.transport.mapping import (
    change_to_proto,
    product_from_proto,
    product_to_proto,
    products_from_proto,
)
from meshkit.errors import InvalidArgument
from tests.support.catalog import FULL, NOON

MINIMAL = catalog_pb2.Product(product_id="a", title="A")


def changed(**fields) -> catalog_pb2.Product:
    message = catalog_pb2.Product()
    message.CopyFrom(MINIMAL)
    message.MergeFrom(catalog_pb2.Product(**fields))
    return message


def test_a_product_survives_the_way_to_protobuf_and_back():
    assert product_from_proto(product_to_proto(FULL)) == FULL


def test_output_only_fields_are_sent_but_not_read():
    message = product_to_proto(replace(FULL, updated_at=NOON, revision=7))
    assert (message.revision, message.updated_at.ToDatetime().hour) == (7, 12)
    assert product_from_proto(message) == FULL


def test_unset_fields_stay_unset():
    product = product_from_proto(MINIMAL)
    assert (product.price, product.currency, product.created_at, product.expires_at) == (None, "", None, None)
    message = product_to_proto(product)
    assert not any(message.HasField(name) for name in ("price", "sale_price", "created_at", "expires_at"))


def test_unspecified_availability_is_in_stock():
    assert product_from_proto(MINIMAL).availability is Availability.IN_STOCK
    assert product_to_proto(product_from_proto(MINIMAL)).availability == catalog_pb2.AVAILABILITY_IN_STOCK


def test_category_paths_get_one_form_and_repeats_go():
    product = product_from_proto(changed(categories=["A>B", "A > B ", " C", ">"], tags=["x", "x"]))
    assert product.categories == ("A > B", "C", "")
    assert product.tags == ("x",)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("price", changed(price=Money(currency_code="EUR", units=-1))),
        ("price", changed(price=Money(currency_code="EUR", nanos=-1))),
        ("price", changed(price=Money(currency_code="EUR", units=1, nanos=10**9))),
        (
            "sale_price",
            changed(price=Money(currency_code="EUR", units=2), sale_price=Money(currency_code="USD", units=1)),
        ),
        ("availability", changed(availability=99)),
        ("created_at", changed(created_at=Timestamp(seconds=-(10**12)))),
        ("expires_at", changed(expires_at=Timestamp(seconds=10**12))),
        ("expires_at", changed(expires_at=Timestamp(nanos=2 * 10**9))),
    ],
    ids=str,
)
def test_what_means_nothing_is_refused_by_field(field, message):
    with pytest.raises(InvalidArgument) as caught:
        product_from_proto(message)
    assert caught.value.violations[0].field == field


def test_unreadable_products_of_a_batch_are_told_by_index():
    good, bad = products_from_proto([MINIMAL, changed(availability=99), MINIMAL], 10)
    assert [index for index, _ in good] == [10, 12]
    assert [(r.index, r.product_id, r.field) for r in bad] == [(11, "a", "availability")]


def test_a_deletion_has_no_product():
    message = change_to_proto(Change(5, "a", None, NOON))
    assert message.kind == catalog_pb2.CHANGE_KIND_DELETED
    assert not message.HasField("product")


@given(st.floats(0, 1e12))
def test_amounts_keep_nine_places(amount):
    message = product_to_proto(replace(FULL, price=amount))
    assert product_from_proto(message).price == pytest.approx(amount, abs=1e-9)


@given(st.integers(-(10**13), 10**14))
def test_any_timestamp_is_read_or_refused(seconds):
    try:
        product = product_from_proto(changed(expires_at=Timestamp(seconds=seconds)))
    except InvalidArgument:
        return
    assert product_to_proto(product).expires_at.seconds == seconds
