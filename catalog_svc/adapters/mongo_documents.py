"""Between products and documents of MongoDB.

`content` is the product itself; beside it stands what queries look for: `keys` hold folded text for filters
(`adapters.mongo_filter`), `words` every word of `domain.words`, `title_words` and `name_words` those that weigh more.
Moments are microseconds since 1970, because a BSON date has milliseconds only. `size` is the characters of the content.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from catalog_svc.adapters.mongo_store import MongoDocument
from catalog_svc.adapters.product_content import (
    category_keys,
    fold_long,
    fold_name,
    from_micros,
    product_of_content,
)
from catalog_svc.domain.model import Change, Product
from catalog_svc.domain.words import document_of


def live_document(
    product_id: str, content: Mapping[str, Any], *, created_at: int, revision: int, now: int
) -> MongoDocument:
    """The document of a product with this content (`product_content.content_of`)."""
    product = product_of_content(product_id, content, created_at=created_at, updated_at=now, revision=revision)
    words = document_of(product)
    title, names = list(dict.fromkeys(words.title)), list(words.names)
    return {
        "_id": product_id,
        "revision": revision,
        "deleted": False,
        "hidden": product.hidden,
        "created_at": created_at,
        "updated_at": now,
        "expires_at": content.get("expires_at"),
        "price": product.effective_price,
        "availability": product.availability.value,
        "category_lines": "\n".join(product.categories),
        "keys": _keys(product),
        "words": list(dict.fromkeys((*title, *names, *words.description))),
        "title_words": title,
        "name_words": names,
        "content": _stored_content(content),
        "size": len(orjson.dumps(content)),
    }


def tombstone(product_id: str, *, revision: int, now: int) -> MongoDocument:
    """The document of a deleted product."""
    return {"_id": product_id, "revision": revision, "deleted": True, "updated_at": now, "size": 0}


def product_of_document(document: MongoDocument) -> Product:
    """The product of a live document."""
    return product_of_content(
        document["_id"],
        content_of_document(document),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        revision=document["revision"],
    )


def change_of_document(document: MongoDocument) -> Change:
    """The change of a document, live or deleted."""
    product = None if document["deleted"] else product_of_document(document)
    return Change(document["revision"], document["_id"], product, from_micros(document["updated_at"]))


def content_of_document(document: MongoDocument) -> dict[str, Any]:
    """The content of a live document as `content_of` makes it."""
    content: dict[str, Any] = dict(document["content"])
    if "attributes" in content:
        content["attributes"] = {pair["name"]: pair["value"] for pair in content["attributes"]}
    return content


def _stored_content(content: Mapping[str, Any]) -> dict[str, Any]:
    # Names of attributes may hold dots and dollars, which names of fields should not.
    stored = dict(content)
    if "attributes" in stored:
        stored["attributes"] = [{"name": name, "value": value} for name, value in stored["attributes"].items()]
    return stored


def _keys(product: Product) -> dict[str, Any]:
    valued = {name: value for name, value in product.attributes.items() if value}
    return {
        "product_id": fold_long(product.product_id),
        "title": fold_long(product.title),
        "brand": fold_name(product.brand),
        "currency": fold_name(product.currency),
        "group_id": fold_long(product.group_id),
        "gtin": product.gtin,
        "categories": list(category_keys(product.categories)),
        "tags": [fold_name(tag) for tag in product.tags],
        "attribute_names": list(valued),
        "attributes": [f"{name}={fold_name(value)}" for name, value in valued.items()],
    }
