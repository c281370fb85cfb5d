"""A product as the fields of a filter see it (`meshkit.filtering.PRODUCT_FIELDS`)."""

from __future__ import annotations

from catalog_svc.domain.model import Availability, Product


def record_of(product: Product) -> dict[str, object]:
    """Field to value; `price` is the effective price, `in_stock` is true for IN_STOCK alone."""
    return {
        "product_id": product.product_id,
        "title": product.title,
        "description": product.description,
        "categories": product.categories,
        "brand": product.brand,
        "price": product.effective_price,
        "currency": product.currency,
        "availability": product.availability.value,
        "in_stock": product.availability is Availability.IN_STOCK,
        "group_id": product.group_id,
        "gtin": product.gtin,
        "tags": product.tags,
        "attributes": product.attributes,
        "created_at": product.created_at,
        "expires_at": product.expires_at,
    }
