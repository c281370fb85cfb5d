"""A product as JSON: the public card of docs/contracts, used by the edge and by the catalog's admin plane.

`{product_id, title, description, categories: ["A > B"], brand, price, sale_price?, currency, availability, group_id?,
image_url, url, gtin?, attributes: {}, tags: [], created_at, expires_at?, hidden}`. `price` and `sale_price` are numbers
in `currency`, null when not known; times are RFC 3339 in UTC. Fields marked "?" are left out when not set, and
so is `created_at` of a product that no catalog has stored yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from recomesh.catalog.v1 import catalog_pb2

from meshkit.errors import FieldViolation, InvalidArgument

MAX_PRICE = 10**12
AVAILABILITY_NAMES = {
    catalog_pb2.AVAILABILITY_UNSPECIFIED: "in_stock",
    catalog_pb2.AVAILABILITY_IN_STOCK: "in_stock",
    catalog_pb2.AVAILABILITY_OUT_OF_STOCK: "out_of_stock",
    catalog_pb2.AVAILABILITY_PREORDER: "preorder",
    catalog_pb2.AVAILABILITY_BACKORDER: "backorder",
}
AVAILABILITY_VALUES = {name: value for value, name in AVAILABILITY_NAMES.items() if value}
OUTPUT_ONLY = frozenset({"updated_at", "revision"})  # ignored on input, so that what was read can be written back
_NANO = 10**9


def card_from_proto(product: catalog_pb2.Product) -> dict[str, object]:
    """The JSON card of a product, in about 9 µs."""
    money = product.price if product.HasField("price") else None
    card: dict[str, object] = {
        "product_id": product.product_id,
        "title": product.title,
        "description": product.description,
        "categories": list(product.categories),
        "brand": product.brand,
        "price": None if money is None else money_to_float(money),
        "currency": None if money is None else money.currency_code,
        "availability": AVAILABILITY_NAMES.get(product.availability, "in_stock"),
        "image_url": product.image_url,
        "url": product.url,
        "attributes": dict(product.attributes),
        "tags": list(product.tags),
        "hidden": product.hidden,
    }
    if product.HasField("created_at"):
        card["created_at"] = _rfc3339(product.created_at.seconds, product.created_at.nanos)
    if product.HasField("sale_price"):
        card["sale_price"] = money_to_float(product.sale_price)
    if product.group_id:
        card["group_id"] = product.group_id
    if product.gtin:
        card["gtin"] = product.gtin
    if product.HasField("expires_at"):
        card["expires_at"] = _rfc3339(product.expires_at.seconds, product.expires_at.nanos)
    return card


def product_from_card(card: object, where: str = "") -> catalog_pb2.Product:
    """The product of a JSON card; null means "not set". Limits (lengths, counts) are left to the catalog.

    Raises InvalidArgument with every wrong field: unknown names, wrong types, a price without a currency. `where`
    ("products[3]") goes before the field names.
    """
    prefix = f"{where}." if where else ""
    if not isinstance(card, Mapping):
        raise InvalidArgument.of(where or "product", f"must be a JSON object, not {_kind(card)}")
    reader = _CardReader(card, prefix)
    product = reader.read()
    if reader.violations:
        raise InvalidArgument(reader.violations)
    return product


def money_to_float(money: Money) -> float:
    """The nearest float to an amount."""
    return float((money.units * _NANO + money.nanos) / _NANO)


def money_from_float(amount: float, currency: str) -> Money:
    """The amount rounded to 1e-9; `money_to_float` gives back the same float. Raises ValueError unless 0 to 10^12."""
    if not 0 <= amount <= MAX_PRICE:
        raise ValueError(f"an amount must be between 0 and {MAX_PRICE}")
    units = int(amount)
    nanos = round((amount - units) * _NANO)
    return Money(currency_code=currency, units=units + nanos // _NANO, nanos=nanos % _NANO)


class _CardReader:
    """Reads one card; collects violations instead of stopping at the first."""

    def __init__(self, card: Mapping[str, object], prefix: str) -> None:
        self._card = card
        self._prefix = prefix
        self.violations: list[FieldViolation] = []

    def read(self) -> catalog_pb2.Product:
        product = catalog_pb2.Product()
        for name, value in self._card.items():
            if name in OUTPUT_ONLY:
                continue
            set_field = _SETTERS.get(name) if isinstance(name, str) else None
            if set_field is None:
                self._refuse(str(name), f"unknown field; a product has {', '.join(sorted(_SETTERS))}")
            elif value is not None:
                try:
                    set_field(product, name, value)
                except UnicodeEncodeError:
                    self._refuse(name, "must be valid Unicode text (no lone surrogates)")
                except ValueError as error:
                    self._refuse(name, str(error))
        self._set_currency(product)
        return product

    def _set_currency(self, product: catalog_pb2.Product) -> None:
        currency = self._card.get("currency")
        if product.HasField("sale_price") and not product.HasField("price"):
            self._refuse("sale_price", "needs a regular price beside it")
        if not product.HasField("price") or not isinstance(currency, str | None):
            return
        if not currency:
            self._refuse("currency", 'must be given with a price: three letters (ISO 4217) such as "EUR"')
        elif _encodable(currency):
            product.price.currency_code = currency
            if product.HasField("sale_price"):
                product.sale_price.currency_code = currency

    def _refuse(self, name: str, description: str) -> None:
        shown = name.encode("utf-8", "replace").decode()[:100]
        self.violations.append(FieldViolation(self._prefix + shown, description))


def _text(product: catalog_pb2.Product, name: str, value: object) -> None:
    setattr(product, name, _checked_text(value))


def _texts(product: catalog_pb2.Product, name: str, value: object) -> None:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of texts, not {_kind(value)}")
    getattr(product, name).extend(_checked_text(v) for v in value)


def _attributes(product: catalog_pb2.Product, _: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be an object of texts, not {_kind(value)}")
    for key, text in value.items():
        product.attributes[_checked_text(key)] = _attribute_text(text)


def _attribute_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else _checked_text(value)


def _amount(product: catalog_pb2.Product, name: str, value: object) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and math.isnan(value))
    ):
        raise ValueError(f"must be a number, not {_kind(value)}")
    if not 0 <= value <= MAX_PRICE:
        raise ValueError(f"must be between 0 and {MAX_PRICE}")
    getattr(product, name).CopyFrom(money_from_float(float(value), ""))


def _currency(_: catalog_pb2.Product, __: str, value: object) -> None:
    _checked_text(value).encode()


def _availability(product: catalog_pb2.Product, _: str, value: object) -> None:
    known = AVAILABILITY_VALUES.get(value) if isinstance(value, str) else None
    if known is None:
        raise ValueError(f"must be one of {', '.join(AVAILABILITY_VALUES)}")
    product.availability = known


def _time(product: catalog_pb2.Product, name: str, value: object) -> None:
    try:
        moment = datetime.fromisoformat(_checked_text(value))
    except ValueError:
        raise ValueError('must be an RFC 3339 time such as "2026-01-31T08:00:00Z"') from None
    if moment.tzinfo is None:
        raise ValueError('must name its time zone, such as "2026-01-31T08:00:00Z"')
    try:
        getattr(product, name).CopyFrom(_timestamp(moment.astimezone(UTC)))
    except (OverflowError, ValueError):
        raise ValueError("must lie between the years 1 and 9999") from None


def _hidden(product: catalog_pb2.Product, _: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    product.hidden = value


_SETTERS: dict[str, Callable[[catalog_pb2.Product, str, object], None]] = {
    **dict.fromkeys(("product_id", "title", "description", "brand", "group_id", "image_url", "url", "gtin"), _text),
    **dict.fromkeys(("categories", "tags"), _texts),
    **dict.fromkeys(("price", "sale_price"), _amount),
    **dict.fromkeys(("created_at", "expires_at"), _time),
    "currency": _currency,
    "availability": _availability,
    "attributes": _attributes,
    "hidden": _hidden,
}


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


@lru_cache(4096)
def _rfc3339(seconds: int, nanos: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)
    return moment.isoformat().replace("+00:00", "Z")


def _checked_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_kind(value)}")
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((int | float, "a number"), (str, "a text"), (Mapping, "an object"), (list, "a list"))
    return next((word for kind, word in kinds if isinstance(value, kind)), type(value).__name__)
