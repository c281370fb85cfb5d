"""Product files: JSON Lines, CSV, Google Merchant TSV and XML, found out by content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import BinaryIO, TypeAlias

import orjson

from feeds.lines import LineReader, first_bytes, open_feed, refuse_file
from feeds.merchant import MERCHANT_COLUMNS, MerchantItem, card_from_item
from feeds.merchant_xml import read_items
from feeds.model import ParsedProduct, RejectedLine
from feeds.product_rows import card_from_row, check_columns, rename_columns
from feeds.tables import Row, Table
from meshkit.errors import InvalidArgument
from meshkit.product_card import product_from_card

PRODUCT_FORMATS = ("auto", "jsonl", "csv", "merchant-tsv", "merchant-xml")

Card: TypeAlias = dict[str, object]


def read_products(
    stream: BinaryIO,
    format: str = "auto",
    mapping: Mapping[str, str] | None = None,
    *,
    currency: str = "",
    now: datetime | None = None,
) -> Iterator[ParsedProduct | RejectedLine]:
    """The products of a file, gzipped or not, in its order; what is wrong with a line comes as a RejectedLine.

    `mapping` says which column of a CSV holds a field: {"product_id": "sku", "attributes.color": "colour"}. `currency`
    is used where a price stands without one. `now` decides whether a sale of a Merchant feed is on. Raises
    InvalidArgument at once for an unknown format name, a mapping that does not fit, and for a file that is not of the
    format at all (while reading for XML that breaks before its first item). An empty file has no products.
    """
    if format not in PRODUCT_FORMATS:
        raise InvalidArgument.of("format", f"must be one of {', '.join(PRODUCT_FORMATS)}")
    feed = open_feed(stream)
    start = first_bytes(feed)
    if mapping and (format not in ("auto", "csv") or start.startswith((b"<", b"{"))):
        raise InvalidArgument.of("mapping", "is for CSV; other formats name their fields themselves")
    if format == "merchant-xml" or (format == "auto" and start.startswith(b"<")):
        return _from_merchant(read_items(feed), currency, now)
    if format == "jsonl" or (format == "auto" and start.startswith(b"{")):
        return _from_lines(LineReader(feed, strict=True), currency)
    table = Table(feed)
    if mapping and table.columns:
        table.rename(rename_columns(table.columns, mapping))
    return _from_table(table, "csv" if mapping else format, currency, now)


def _from_lines(lines: LineReader, currency: str) -> Iterator[ParsedProduct | RejectedLine]:
    for text in lines:
        yield from lines.take_rejected()
        raw = text.rstrip("\r\n")
        try:
            card = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            yield RejectedLine(lines.line, raw, f"broken JSON: {str(error).split(':')[0]}")
            continue
        if isinstance(card, dict) and currency and card.get("price") is not None:
            card.setdefault("currency", currency)
        yield _product(lines.line, raw, card)
    yield from lines.take_rejected()


def _from_table(
    table: Table, format: str, currency: str, now: datetime | None
) -> Iterator[ParsedProduct | RejectedLine]:
    is_merchant = format == "merchant-tsv" or (
        format == "auto" and "product_id" not in table.columns and _merchant_names(table) >= MERCHANT_COLUMNS
    )
    if is_merchant:
        return _from_merchant(_merchant_rows(table), currency, now)
    if table.columns:
        check_columns(table.columns)
    return _from_rows(table, currency)


def _from_rows(table: Table, currency: str) -> Iterator[ParsedProduct | RejectedLine]:
    for entry in table:
        if isinstance(entry, RejectedLine):
            yield entry
        else:
            yield _guarded(entry, partial(card_from_row, entry.cells, currency))


def _merchant_names(table: Table) -> set[str]:
    return {_merchant_name(name) for name in table.columns}


def _merchant_name(column: str) -> str:
    return column.lower().removeprefix("g:").replace(" ", "_")


def _merchant_rows(table: Table) -> Iterator[MerchantItem | RejectedLine]:
    table.rename({name: _merchant_name(name) for name in table.columns})
    if table.columns and not set(table.columns) >= MERCHANT_COLUMNS:
        wanted = ", ".join(sorted(MERCHANT_COLUMNS))
        raise refuse_file(f"is no Merchant feed: the header must name {wanted}; it names {', '.join(table.columns)}")
    return (_item(entry) for entry in table)


def _item(entry: Row | RejectedLine) -> MerchantItem | RejectedLine:
    if isinstance(entry, RejectedLine):
        return entry
    return MerchantItem(entry.line, entry.raw, [(name, value) for name, value in entry.cells.items() if value])


def _from_merchant(
    items: Iterator[MerchantItem | RejectedLine], currency: str, now: datetime | None
) -> Iterator[ParsedProduct | RejectedLine]:
    moment = now or datetime.now(UTC)
    for item in items:
        if isinstance(item, RejectedLine):
            yield item
        else:
            yield _guarded(item, partial(card_from_item, item, currency, moment))


def _guarded(entry: Row | MerchantItem, card: Callable[[], Card]) -> ParsedProduct | RejectedLine:
    try:
        return _product(entry.line, entry.raw, card())
    except InvalidArgument as error:
        return RejectedLine(entry.line, entry.raw, error.message)


def _product(line: int, raw: str, card: object) -> ParsedProduct | RejectedLine:
    try:
        product = product_from_card(card)
    except InvalidArgument as error:
        return RejectedLine(line, raw, error.message)
    missing = next((name for name in ("product_id", "title") if not getattr(product, name)), None)
    if missing:
        return RejectedLine(line, raw, f"{missing}: is required")
    return ParsedProduct(line, product)
