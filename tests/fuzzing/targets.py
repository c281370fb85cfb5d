"""What is fuzzed: bytes that strangers send, and what must hold whatever they are. Anything raised is a find."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from feeds import EVENT_FORMATS, PRODUCT_FORMATS, read_events, read_online_retail, read_products
from meshkit.errors import InvalidArgument
from meshkit.filtering import PREFERENCE_FIELDS, PRODUCT_FIELDS, FieldSet, parse, predicate, to_text

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
PRODUCT: Mapping[str, object] = {
    "product_id": "mug-1",
    "title": "Blue mug",
    "brand": "Acme",
    "categories": ("Home > Kitchen", "Gifts"),
    "price": 9.5,
    "in_stock": True,
    "created_at": NOW,
    "attributes": {"color": "blue", "size": "12"},
    "tags": ("new",),
}
Target = Callable[[bytes], None]


def filters(data: bytes) -> None:
    """A filter is refused with a column, or can be printed, read back to the same tree, and decided for a product."""
    text = data.decode("utf-8", "surrogateescape")
    for fields in (PRODUCT_FIELDS, PREFERENCE_FIELDS):
        _filter(text, fields)


def _filter(text: str, fields: FieldSet) -> None:
    try:
        tree = parse(text, fields)
    except InvalidArgument as error:
        _is_told_in("filter", error)
        return
    if tree is None:
        return
    printed = to_text(tree)
    try:
        again = parse(printed, fields)
    except InvalidArgument:
        assert len(printed) > 2_000, printed  # printed in full it may be longer than what is taken
    else:
        assert again == tree, (printed, again)
    assert predicate(tree)(PRODUCT) in (True, False)


def products(data: bytes) -> None:
    """A product file of any format; the first byte chooses which is said to be it."""
    format = PRODUCT_FORMATS[data[0] % len(PRODUCT_FORMATS)] if data else "auto"
    _entries(lambda file: read_products(file, format, currency="EUR", now=NOW), data[1:])


def events(data: bytes) -> None:
    """An event file."""
    format = EVENT_FORMATS[data[0] % len(EVENT_FORMATS)] if data else "auto"
    _entries(lambda file: read_events(file, format), data[1:])


def online_retail(data: bytes) -> None:
    """The UCI layout."""

    def read(file: io.BytesIO) -> Iterable[object]:
        result = read_online_retail(file)
        return [*result.products(), *result.interactions(), *result.rejected]

    _entries(read, data)


def _entries(read: Callable[[io.BytesIO], Iterable[object]], data: bytes) -> None:
    try:
        entries = list(read(io.BytesIO(data)))
    except InvalidArgument as error:
        _is_told_in("file", error)
        return
    if not data.startswith(b"\x1f\x8b"):  # what is compressed may hold more lines than bytes
        assert len(entries) <= len(data) + 1, len(entries)


def _is_told_in(field: str, refused: InvalidArgument) -> None:
    first = refused.violations[0]
    assert first.field == field, refused.violations
    assert first.description, refused.violations


TARGETS: Mapping[str, Target] = {
    "filters": filters,
    "products": products,
    "events": events,
    "online_retail": online_retail,
}
_CARD = b'{"product_id":"a","title":"A","price":1.5,"currency":"EUR","categories":["A > B"],"attributes":{"c":"d"}}\n'
_RSS = b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id><title>T</title><g:price>5 EUR'
_EVENT = (
    b'{"type":"view_item","visitor_id":"v","product_id":"p","at":"2026-01-01T00:00:00Z","price":1,"currency":"EUR"}\n'
)
_RETAIL = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SEEDS: Mapping[str, list[bytes]] = {
    "filters": [
        b'price < 50 AND category:"Kitchen" AND in_stock = true AND NOT brand = "Acme"',
        b'(title:"mug*" OR attributes.color = "blue") AND created_at > "2026-01-01T00:00:00Z"',
        b"in_stock tags:new -brand:* OR NOT gtin:*",
        b'brands:"Acme" AND price_max < 50 AND opted_out = false',
        'title = "\u00e9\\n\\\'" AND price >= -1e3'.encode(),
    ],
    "products": [
        b"\0" + _CARD,
        b"\x01" + _CARD,
        b"\x02product_id,title,price,created_at,attributes.color\n1,A,5 EUR,2026-01-01,blue\n",
        b"\x03id\ttitle\tprice\tlink\tavailability\n1\tA\t5 EUR\tx\tin_stock\n",
        b"\x04" + _RSS + b"</g:price></item></channel></rss>",
        b"\0" + gzip.compress(_CARD),
    ],
    "events": [
        b"\0" + _EVENT,
        b"\x02visitor_id,product_id,at,type,price,quantity\nv,p,1700000000,purchase,1 EUR,2\n",
        b"\0" + gzip.compress(_EVENT),
    ],
    "online_retail": [_RETAIL + b"1,10001,X,1,2010-12-01 08:26:00,1,1,UK\nC1,10001,X,-1,12/1/2010 8:26,1,1,UK\n"],
}

# What libFuzzer would not think of by itself.
WORDS: Mapping[str, list[str]] = {
    "filters": [
        *PRODUCT_FIELDS,
        *PREFERENCE_FIELDS,
        *("AND", "OR", "NOT", "!=", "<=", ">=", ":*", "true", "2026-01-31"),
    ],
    "products": [
        *("product_id", "title", "price", "sale_price", "currency", "EUR", "categories", "attributes", "in_stock"),
        *("g:id", "g:sale_price_effective_date", "<item>", "</item>", "<entry>", "<!DOCTYPE", "<![CDATA[", "&amp;"),
    ],
    "events": [
        *("event_id", "type", "visitor_id", "product_id", "purchase", "quantity", "2026-01-31T08:00:00Z", "1e308")
    ],
    "online_retail": [*("InvoiceNo", "StockCode", "POST", "C536379", "12/1/2010 8:26", "2010-12-01 08:26:00", "-1")],
}
