"""The content of a product as plain JSON values: what every store keeps, each in its own wrapping."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from catalog_svc.domain.model import Availability, Product
from meshkit.filtering import fold, folded_path, path_keys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
WHOLE_PATH = "\t"  # before a key that is a whole path; keys hold no control characters


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment."""
    return _EPOCH + timedelta(microseconds=micros)


def content_of(product: Product) -> dict[str, object]:
    """The content, equal for equal products, keys in one order. Without id, created_at and revision."""
    content: dict[str, object] = {"title": product.title}
    if product.description:
        content["description"] = product.description
    if product.categories:
        content["categories"] = list(product.categories)
    if product.price is not None:
        content["price"] = product.price
        content["currency"] = product.currency
    if product.sale_price is not None:
        content["sale_price"] = product.sale_price
    if product.availability is not Availability.IN_STOCK:
        content["availability"] = product.availability.value
    for name in ("brand", "group_id", "image_url", "url", "gtin"):
        if value := getattr(product, name):
            content[name] = value
    if product.attributes:
        content["attributes"] = dict(sorted(product.attributes.items()))
    if product.tags:
        content["tags"] = list(product.tags)
    if product.expires_at is not None:
        content["expires_at"] = to_micros(product.expires_at)
    if product.hidden:
        content["hidden"] = True
    return content


def product_of_content(
    product_id: str, content: Mapping[str, Any], *, created_at: int, updated_at: int, revision: int
) -> Product:
    """The product again; moments in microseconds since 1970."""
    expires_at = content.get("expires_at")
    get = content.get
    return Product(
        product_id,
        content["title"],
        get("description", ""),
        tuple(get("categories", ())),
        get("brand", ""),
        get("price"),
        get("sale_price"),
        get("currency", ""),
        Availability(get("availability", "in_stock")),
        get("group_id", ""),
        get("image_url", ""),
        get("url", ""),
        get("gtin", ""),
        get("attributes", {}),
        tuple(get("tags", ())),
        from_micros(created_at),
        None if expires_at is None else from_micros(expires_at),
        get("hidden", False),
        from_micros(updated_at),
        revision,
    )


@lru_cache(maxsize=20_000)
def category_keys(paths: tuple[str, ...]) -> tuple[str, ...]:
    """What a filter finds these categories by: prefixes and parts, then whole paths behind `WHOLE_PATH`."""
    keys = {key for path in paths for key in path_keys(path)}
    return (*sorted(keys), *(WHOLE_PATH + folded_path(path) for path in paths))


def fold_long(text: str) -> str:
    """`fold` for text that seldom comes twice."""
    return text.lower() if text.isascii() else fold(text)


@lru_cache(maxsize=20_000)
def fold_name(text: str) -> str:
    """`fold` for text that many products share."""
    return fold(text)
