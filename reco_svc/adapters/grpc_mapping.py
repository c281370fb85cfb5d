"""Messages of the catalog and profile services as the recommender's nouns."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import money_pb2
from recomesh.catalog.v1 import catalog_pb2
from recomesh.profile.v1 import profile_pb2

from reco_svc.domain.model import Availability, Preferences, Product, ProductChange

_AVAILABILITY = {
    catalog_pb2.AVAILABILITY_OUT_OF_STOCK: Availability.OUT_OF_STOCK,
    catalog_pb2.AVAILABILITY_PREORDER: Availability.PREORDER,
    catalog_pb2.AVAILABILITY_BACKORDER: Availability.BACKORDER,
}


def product(message: catalog_pb2.Product) -> Product:
    """A product; its price is the sale price where there is one."""
    money = message.sale_price if message.HasField("sale_price") else message.price
    has_price = message.HasField("sale_price") or message.HasField("price")
    return Product(
        product_id=message.product_id,
        title=message.title,
        description=message.description,
        categories=tuple(message.categories),
        brand=message.brand,
        price=amount(money) if has_price else None,
        currency=money.currency_code,
        availability=_AVAILABILITY.get(message.availability, Availability.IN_STOCK),
        group_id=message.group_id,
        gtin=message.gtin,
        attributes=dict(message.attributes),
        tags=tuple(message.tags),
        created_at=_time(message.created_at) if message.HasField("created_at") else None,
        expires_at=_time(message.expires_at) if message.HasField("expires_at") else None,
        hidden=message.hidden,
        revision=message.revision,
    )


def product_change(message: catalog_pb2.Change) -> ProductChange:
    """One entry of the catalog's feed."""
    deleted = message.kind == catalog_pb2.CHANGE_KIND_DELETED
    return ProductChange(message.revision, message.product_id, None if deleted else product(message.product))


def preferences(message: profile_pb2.Preferences) -> Preferences:
    """Stated preferences."""
    return Preferences(
        visitor_id=message.visitor_id,
        categories=tuple(message.categories),
        brands=tuple(message.brands),
        excluded_categories=tuple(message.excluded_categories),
        price_min=amount(message.price_min) if message.HasField("price_min") else None,
        price_max=amount(message.price_max) if message.HasField("price_max") else None,
        opted_out=message.opted_out,
        segments=tuple(message.segments),
    )


def amount(money: money_pb2.Money) -> float:
    """A number in the money's currency."""
    return float(money.units + money.nanos / 1e9)


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
