"""What a product may hold: the limits of catalog.proto, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalog_svc.domain.model import Product
from meshkit.errors import FieldViolation

MAX_ID_BYTES = 128
MAX_PRICE = 10**12
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_URL = re.compile(r"(?:https?://[^\s/?#]+|/(?!/))\S*\Z", re.IGNORECASE)
_GTIN_LENGTHS = (8, 12, 13, 14)
_NO_CONTROL = "must not hold control characters"


def violations_of(product: Product) -> list[FieldViolation]:
    """Everything that is wrong with a product; field names are relative to it ("price", "categories[2]")."""
    found = list(_texts(product))
    found += _categories(product)
    found += _money(product)
    found += _links(product)
    found += _attributes_and_tags(product)
    if product.gtin and not is_gtin(product.gtin):
        found.append(
            FieldViolation("gtin", "must be a GTIN of 8, 12, 13 or 14 digits with a correct check digit, or empty")
        )
    return found


def id_violation(field: str, product_id: str) -> FieldViolation | None:
    """What is wrong with a product id in a request: empty, over 128 bytes, control characters."""
    if not product_id:
        return FieldViolation(field, "is required")
    if len(product_id) * 4 > MAX_ID_BYTES and len(product_id.encode()) > MAX_ID_BYTES:
        return FieldViolation(field, f"must have at most {MAX_ID_BYTES} bytes of UTF-8")
    return FieldViolation(field, _NO_CONTROL) if _CONTROL.search(product_id) else None


def is_gtin(text: str) -> bool:
    """True for a GTIN-8, -12, -13 or -14 whose last digit is the check digit (GS1 General Specifications 7.9)."""
    if len(text) not in _GTIN_LENGTHS or not (text.isascii() and text.isdigit()):
        return False
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(text[:-1])))
    return (10 - weighted % 10) % 10 == int(text[-1])


def _texts(product: Product) -> Iterator[FieldViolation]:
    wrong_id = id_violation("product_id", product.product_id)
    if wrong_id:
        yield wrong_id
    if product.group_id:
        wrong_group = id_violation("group_id", product.group_id)
        if wrong_group:
            yield wrong_group
    if not product.title.strip():
        yield FieldViolation("title", "is required")
    yield from _line("title", product.title, 500)
    yield from _line("brand", product.brand, 200)
    if len(product.description) > 20_000:
        yield FieldViolation("description", "must have at most 20,000 characters")
    if _CONTROL_IN_TEXT.search(product.description):
        yield FieldViolation("description", f"{_NO_CONTROL} other than tab and line breaks")


def _line(field: str, text: str, limit: int) -> Iterator[FieldViolation]:
    if len(text) > limit:
        yield FieldViolation(field, f"must have at most {limit:,} characters")
    if _CONTROL.search(text):
        yield FieldViolation(field, _NO_CONTROL)


def _categories(product: Product) -> Iterator[FieldViolation]:
    if len(product.categories) > 20:
        yield FieldViolation("categories", "must be at most 20")
    for index, path in enumerate(product.categories):
        if not path:
            yield FieldViolation(f"categories[{index}]", 'must name a category, such as "Home > Kitchen"')
        else:
            yield from _line(f"categories[{index}]", path, 500)


def _money(product: Product) -> Iterator[FieldViolation]:
    for field, amount in (("price", product.price), ("sale_price", product.sale_price)):
        if amount is not None and not 0 <= amount <= MAX_PRICE:
            yield FieldViolation(field, f"must be an amount from 0 to {MAX_PRICE:,}")
    if product.price is not None and not _CURRENCY.match(product.currency):
        yield FieldViolation("currency", 'must be three capital letters (ISO 4217) such as "EUR"')
    if product.sale_price is not None and product.price is None:
        yield FieldViolation("sale_price", "needs a regular price beside it")


def _links(product: Product) -> Iterator[FieldViolation]:
    for field, link in (("image_url", product.image_url), ("url", product.url)):
        if not link:
            continue
        if len(link) > 2_000:
            yield FieldViolation(field, "must have at most 2,000 characters")
        if not _URL.match(link) or _CONTROL.search(link):
            yield FieldViolation(field, 'must be an http(s) URL, or a path that begins with a single "/"')


def _attributes_and_tags(product: Product) -> Iterator[FieldViolation]:
    if len(product.attributes) > 100:
        yield FieldViolation("attributes", "must be at most 100")
    for key, value in product.attributes.items():
        if not _KEY.match(key):
            shown = key[:64]
            yield FieldViolation("attributes", f"{shown!r} is no key; keys are 1 to 64 of A-Z, a-z, 0-9, '_', '.', '-'")
        elif len(value) > 1_000:
            yield FieldViolation(f"attributes.{key}", "must have at most 1,000 characters")
        elif _CONTROL_IN_TEXT.search(value):
            yield FieldViolation(f"attributes.{key}", f"{_NO_CONTROL} other than tab and line breaks")
    if len(product.tags) > 100:
        yield FieldViolation("tags", "must be at most 100")
    for index, tag in enumerate(product.tags):
        if not tag.strip():
            yield FieldViolation(f"tags[{index}]", "must not be empty")
        else:
            yield from _line(f"tags[{index}]", tag, 100)
