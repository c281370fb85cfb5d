"""Between protobuf messages and the domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from recomesh.catalog.v1 import catalog_pb2

from catalog_svc.domain.model import Availability, Change, Product, Rejection
from meshkit.errors import FieldViolation, InvalidArgument
from meshkit.filtering.text import normal_path
from meshkit.product_card import money_from_float, money_to_float

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_AVAILABILITY = {
    catalog_pb2.AVAILABILITY_UNSPECIFIED: Availability.IN_STOCK,
    catalog_pb2.AVAILABILITY_IN_STOCK: Availability.IN_STOCK,
    catalog_pb2.AVAILABILITY_OUT_OF_STOCK: Availability.OUT_OF_STOCK,
    catalog_pb2.AVAILABILITY_PREORDER: Availability.PREORDER,
    catalog_pb2.AVAILABILITY_BACKORDER: Availability.BACKORDER,
}
_AVAILABILITY_OUT = {kept: sent for sent, kept in _AVAILABILITY.items() if sent}


def products_from_proto(
    messages: Iterable[catalog_pb2.Product], first_index: int = 0
) -> tuple[list[tuple[int, Product]], list[Rejection]]:
    """(index, product) of the messages that can be read, and why the others can not."""
    products: list[tuple[int, Product]] = []
    rejected: list[Rejection] = []
    for index, message in enumerate(messages, first_index):
        try:
            products.append((index, product_from_proto(message)))
        except InvalidArgument as error:
            first = error.violations[0]
            rejected.append(Rejection(index, message.product_id, first.field, first.description))
    return products, rejected


def product_from_proto(message: catalog_pb2.Product) -> Product:
    """The product of a message; category paths get exactly " > " between parts, repeats are dropped.

    Output-only fields are ignored. Raises InvalidArgument for money, times and availability that mean nothing; lengths
    and counts are left to `domain.validation`.
    """
    price, currency = (_amount(message.price, "price")) if message.HasField("price") else (None, "")
    sale_price = None
    if message.HasField("sale_price"):
        sale_price, sale_currency = _amount(message.sale_price, "sale_price")
        if price is not None and sale_currency != currency:
            raise InvalidArgument.of("sale_price", f"must be in the currency of price ({currency[:3]})")
    availability = _AVAILABILITY.get(message.availability)
    if availability is None:
        raise InvalidArgument.of("availability", f"{message.availability} is no availability")
    return Product(
        product_id=message.product_id,
        title=message.title,
        description=message.description,
        categories=tuple(dict.fromkeys(map(_path, message.categories))),
        brand=message.brand,
        price=price,
        sale_price=sale_price,
        currency=currency,
        availability=availability,
        group_id=message.group_id,
        image_url=message.image_url,
        url=message.url,
        gtin=message.gtin,
        attributes=dict(message.attributes),
        tags=tuple(dict.fromkeys(message.tags)),
        created_at=_moment(message.created_at, "created_at") if message.HasField("created_at") else None,
        expires_at=_moment(message.expires_at, "expires_at") if message.HasField("expires_at") else None,
        hidden=message.hidden,
    )


def product_to_proto(product: Product) -> catalog_pb2.Product:
    """The message of a product."""
    price, sale_price = product.price, product.sale_price
    return catalog_pb2.Product(
        product_id=product.product_id,
        title=product.title,
        description=product.description,
        categories=product.categories,
        brand=product.brand,
        price=None if price is None else money_from_float(price, product.currency),
        sale_price=None if sale_price is None else money_from_float(sale_price, product.currency),
        availability=_AVAILABILITY_OUT[product.availability],
        group_id=product.group_id,
        image_url=product.image_url,
        url=product.url,
        gtin=product.gtin,
        attributes=product.attributes,
        tags=product.tags,
        created_at=_stamp(product.created_at),
        expires_at=_stamp(product.expires_at),
        hidden=product.hidden,
        updated_at=_stamp(product.updated_at),
        revision=product.revision,
    )


def change_to_proto(change: Change) -> catalog_pb2.Change:
    """The message of a change."""
    gone = change.product is None
    return catalog_pb2.Change(
        revision=change.revision,
        product_id=change.product_id,
        kind=catalog_pb2.CHANGE_KIND_DELETED if gone else catalog_pb2.CHANGE_KIND_UPSERTED,
        product=None if change.product is None else product_to_proto(change.product),
        changed_at=_stamp(change.changed_at),
    )


def rejections_to_proto(rejected: Sequence[Rejection]) -> list[catalog_pb2.RejectedProduct]:
    """The messages of refused products, by index."""
    return [
        catalog_pb2.RejectedProduct(index=r.index, product_id=r.product_id, field=r.field, reason=r.reason)
        for r in sorted(rejected, key=lambda r: r.index)
    ]


def _amount(money: Money, field: str) -> tuple[float, str]:
    if money.units < 0 or not 0 <= money.nanos < 10**9:
        raise InvalidArgument.of(field, "must be zero or more, with 0 to 999,999,999 nanos")
    return money_to_float(money), money.currency_code


def _moment(stamp: Timestamp, field: str) -> datetime:
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument([FieldViolation(field, "must lie between the years 1 and 9999")]) from None


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    seconds, micros = divmod((moment - _EPOCH) // _MICROSECOND, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


@lru_cache(maxsize=20_000)
def _path(path: str) -> str:
    return normal_path(path)
