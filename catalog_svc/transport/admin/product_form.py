"""The product form: a product as form fields, and back."""

from __future__ import annotations

from collections.abc import Mapping

from catalog_svc.domain.model import Product
from catalog_svc.transport.mapping import product_from_proto
from meshkit.errors import FieldViolation, InvalidArgument
from meshkit.product_card import product_from_card

_PLAIN = (
    "product_id",
    "title",
    "brand",
    "currency",
    "availability",
    "group_id",
    "image_url",
    "url",
    "gtin",
    "created_at",
    "expires_at",
)
_AMOUNTS = ("price", "sale_price")
FIELDS = (*_PLAIN, *_AMOUNTS, "description", "categories", "tags", "attributes", "hidden")


def form_of(product: Product) -> dict[str, str]:
    """The fields as text: lists one entry per line, attributes as `key=value`."""
    moments = {name: getattr(product, name) for name in ("created_at", "expires_at")}
    return {
        "product_id": product.product_id,
        "title": product.title,
        "description": product.description,
        "categories": "\n".join(product.categories),
        "brand": product.brand,
        "price": "" if product.price is None else f"{product.price:.10g}",
        "sale_price": "" if product.sale_price is None else f"{product.sale_price:.10g}",
        "currency": product.currency,
        "availability": product.availability.value,
        "group_id": product.group_id,
        "image_url": product.image_url,
        "url": product.url,
        "gtin": product.gtin,
        "attributes": "\n".join(f"{key}={value}" for key, value in product.attributes.items()),
        "tags": "\n".join(product.tags),
        "hidden": "yes" if product.hidden else "",
        **{name: moment.isoformat().replace("+00:00", "Z") if moment else "" for name, moment in moments.items()},
    }


def product_of_form(form: Mapping[str, str]) -> Product:
    """The product of a sent form; limits are left to the write. InvalidArgument names every wrong field."""
    violations: list[FieldViolation] = []
    card: dict[str, object] = {name: form[name].strip() for name in _PLAIN if form.get(name, "").strip()}
    card["description"] = form.get("description", "").replace("\r\n", "\n").strip()
    card["categories"] = _lines(form.get("categories", ""))
    card["tags"] = _lines(form.get("tags", ""))
    card["hidden"] = bool(form.get("hidden"))
    for name in _AMOUNTS:
        try:
            if text := form.get(name, "").strip().replace(",", "."):
                card[name] = float(text)
        except ValueError:
            violations.append(FieldViolation(name, "must be a number such as 9.50"))
    attributes: dict[str, str] = {}
    for line in _lines(form.get("attributes", "")):
        key, equals, value = line.partition("=")
        if not equals:
            violations.append(FieldViolation("attributes", f"{line[:50]!r} must be written key=value"))
        attributes[key.strip()] = value.strip()
    card["attributes"] = attributes
    try:
        product = product_from_proto(product_from_card(card))
    except InvalidArgument as error:
        raise InvalidArgument([*violations, *error.violations]) from None
    if violations:
        raise InvalidArgument(violations)
    return product


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
