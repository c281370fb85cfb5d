"""Between products and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Row

from catalog_svc.adapters.product_content import (
    category_keys,
    content_of,
    fold_long,
    fold_name,
    from_micros,
    product_of_content,
    to_micros,
)
from catalog_svc.adapters.sql_tables import product as table
from catalog_svc.domain.model import Change, Product

_LINE_BREAK, _NEVER = "\x1f", "\x1e"  # a line break inside an attribute's value; what no stored value holds

ProductRow: TypeAlias = Row[*tuple[Any, ...]]
COLUMNS = (table.c.product_id, table.c.revision, table.c.created_at, table.c.updated_at, table.c.document)


def encode_document(product: Product) -> str:
    """The content of a product as JSON, the same text for the same content. Without id, created_at and revision."""
    return orjson.dumps(content_of(product)).decode()


def product_of(row: ProductRow) -> Product:
    """The product of a row of `COLUMNS`."""
    product_id, revision, created_at, updated_at, document = row[:5]
    content = orjson.loads(document)
    return product_of_content(product_id, content, created_at=created_at, updated_at=updated_at, revision=revision)


def change_of(row: ProductRow) -> Change:
    """The change of a row of `COLUMNS`."""
    return Change(row[1], row[0], product_of(row) if row[4] else None, from_micros(row[3]))


def row_of(product: Product, document: str, number: int, revision: int, created_at: int, now: int) -> dict[str, object]:
    """The row of a live product."""
    return {
        "number": number,
        "product_id": product.product_id,
        "revision": revision,
        "deleted": False,
        "hidden": product.hidden,
        "created_at": created_at,
        "updated_at": now,
        "expires_at": None if product.expires_at is None else to_micros(product.expires_at),
        "price": product.effective_price,
        "availability": product.availability.value,
        "product_key": fold_long(product.product_id),
        "title_key": fold_long(product.title),
        "brand_key": fold_name(product.brand),
        "currency_key": fold_name(product.currency),
        "group_key": fold_long(product.group_id),
        "gtin_key": product.gtin,
        "category_keys": lines_of(category_keys(product.categories)),
        "tag_keys": lines_of(fold_name(tag) for tag in product.tags),
        "attribute_keys": _attribute_keys(product.attributes),
        "categories": "\n".join(product.categories),
        "document": document,
    }


def tombstone_of(product_id: str, number: int, revision: int, now: int) -> dict[str, object]:
    """The row of a deleted product."""
    empty = Product(product_id, "", created_at=from_micros(now))
    return {**row_of(empty, "", number, revision, now, now), "deleted": True}


def lines_of(keys: Iterable[str]) -> str:
    """One key per line, a line break at both ends; "" for none."""
    text = "\n".join(keys)
    return f"\n{text}\n" if text else ""


def attribute_line(key: str, folded: str) -> str:
    """How an attribute stands in `attribute_keys`, or its beginning."""
    return f"{key}={folded}".replace(_LINE_BREAK, _NEVER).replace("\n", _LINE_BREAK)


def _attribute_keys(attributes: Mapping[str, str]) -> str:
    return lines_of(attribute_line(key, fold_name(value)) for key, value in attributes.items() if value)
