"""An item of a Google Merchant product feed as a product card.

https://support.google.com/merchants/answer/7052112 lists the fields. Shipping, tax, cost and advertising fields do not
describe the product to a shopper and are left out.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime

from feeds.amounts import read_amount
from feeds.checks import checked
from feeds.moments import read_moment

MERCHANT_COLUMNS = frozenset({"id", "title"})
ATTRIBUTES = frozenset(
    [
        "age_group",
        "color",
        "condition",
        "energy_efficiency_class",
        "gender",
        "material",
        "mpn",
        "multipack",
        "pattern",
        "product_height",
        "product_length",
        "product_weight",
        "product_width",
        "size",
        "size_system",
        "size_type",
        "unit_pricing_measure",
    ]
)
_TEXTS = {"id": "product_id", "title": "title", "link": "url", "image_link": "image_url", "brand": "brand"} | {
    "item_group_id": "group_id"
}
_AVAILABILITY_ALIASES = {"pre_order": "preorder", "back_order": "backorder", "available_for_order": "in_stock"}
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class MerchantItem:
    """One item: line it begins on, its text, and (field, value) pairs without prefix; fields may repeat."""

    line: int
    raw: str
    fields: list[tuple[str, str]]


def card_from_item(item: MerchantItem, currency: str, now: datetime) -> dict[str, object]:
    """The card of an item. Raises InvalidArgument that names the Merchant field that is wrong.

    product_type gives the categories, or google_product_category where it is text; custom labels become tags; a sale
    price counts only within its effective dates.
    """
    first = dict(reversed(item.fields))
    card: dict[str, object] = {ours: first[theirs] for theirs, ours in _TEXTS.items() if first.get(theirs)}
    if description := first.get("description") or first.get("summary"):
        card["description"] = _plain(description)
    if gtin := first.get("gtin"):
        card["gtin"] = gtin.split(",")[0].replace(" ", "").replace("-", "")
    if availability := first.get("availability"):
        card["availability"] = _availability(availability)
    if expires := first.get("expiration_date"):
        card["expires_at"] = checked("expiration_date", expires, read_moment).ToJsonString()
    card.update(_prices(first, currency, now))
    card["categories"] = _categories(item.fields)
    card["attributes"] = {name: first[name] for name in sorted(ATTRIBUTES & first.keys()) if first[name]}
    card["tags"] = [value for name, value in item.fields if name.startswith("custom_label_") and value]
    return card


def _prices(first: dict[str, str], currency: str, now: datetime) -> dict[str, object]:
    if not first.get("price"):
        return {}
    amount, named = checked("price", first["price"], read_amount)
    prices: dict[str, object] = {"price": amount, "currency": named or currency}
    if first.get("sale_price") and _on_sale(first.get("sale_price_effective_date"), now):
        prices["sale_price"], _ = checked("sale_price", first["sale_price"], read_amount)
    return prices


def _on_sale(dates: str | None, now: datetime) -> bool:
    if not dates:
        return True
    start, _, end = dates.partition("/")
    seconds = now.timestamp()
    begins = checked("sale_price_effective_date", start, read_moment).seconds
    ends = checked("sale_price_effective_date", end, read_moment).seconds
    return begins <= seconds <= ends


def _availability(text: str) -> str:
    name = re.sub(r"[\s_-]+", "_", text.strip().lower())
    return _AVAILABILITY_ALIASES.get(name, name)


def _categories(fields: list[tuple[str, str]]) -> list[str]:
    own = [value for name, value in fields if name == "product_type" and value]
    google = [value for name, value in fields if name == "google_product_category" and not value.isdecimal()]
    paths = [" > ".join(part.strip() for part in path.split(">") if part.strip()) for path in own or google]
    return list(dict.fromkeys(filter(None, paths)))


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", text)).split()) if "<" in text or "&" in text else text
