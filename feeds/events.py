"""Event files: JSON Lines and CSV with a column mapping; the train.csv.gz of evaluation tasks is such a CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import orjson

from feeds.event_rows import TYPES, EventIds, event_columns, event_from_fields
from feeds.lines import LineReader, first_bytes, open_feed
from feeds.model import ParsedEvent, RejectedLine
from feeds.tables import Table
from meshkit.errors import InvalidArgument

EVENT_FORMATS = ("auto", "jsonl", "csv")


def read_events(
    stream: BinaryIO,
    format: str = "auto",
    mapping: Mapping[str, str] | None = None,
    *,
    default_type: str = "view_item",
    currency: str = "",
) -> Iterator[ParsedEvent | RejectedLine]:
    """The events of a file, gzipped or not, in its order; what is wrong with a line comes as a RejectedLine.

    `mapping` says which column of a CSV holds a field: {"visitor_id": "user", "at": "ts"}; fields it does not name are
    looked for under their own name, and `type` and `at` also as event_type, event and timestamp, time. `default_type`
    is used in a CSV without a type column; `currency` where a price stands without one (left out otherwise: an amount
    without a currency says nothing). An event without event_id gets one made from its content and its occurrence in
    the file, so that reading the file again gives the same ids.

    Raises InvalidArgument at once for unknown names and for a file that is not of the format at all.
    """
    _check_arguments(format, default_type)
    feed = open_feed(stream)
    start = first_bytes(feed)
    if format == "jsonl" or (format == "auto" and start.startswith(b"{")):
        if mapping:
            raise InvalidArgument.of("mapping", "is for CSV; JSON Lines name their fields themselves")
        return _from_lines(LineReader(feed, strict=True), currency)
    table = Table(feed)
    columns = event_columns(table.columns, mapping or {}) if table.columns else {}
    return _from_table(table, columns, default_type, currency)


def _check_arguments(format: str, default_type: str) -> None:
    if format not in EVENT_FORMATS:
        raise InvalidArgument.of("format", f"must be one of {', '.join(EVENT_FORMATS)}")
    if default_type not in TYPES:
        raise InvalidArgument.of("default_type", f"must be one of {', '.join(TYPES)}")


def _from_lines(lines: LineReader, currency: str) -> Iterator[ParsedEvent | RejectedLine]:
    ids = EventIds()
    for text in lines:
        yield from lines.take_rejected()
        raw = text.rstrip("\r\n")
        try:
            fields = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            yield RejectedLine(lines.line, raw, f"broken JSON: {str(error).split(':')[0]}")
            continue
        if not isinstance(fields, dict):
            yield RejectedLine(lines.line, raw, "must be a JSON object")
            continue
        yield _event(lines.line, raw, fields, currency, ids)
    yield from lines.take_rejected()


def _from_table(
    table: Table, columns: Mapping[str, str], default_type: str, currency: str
) -> Iterator[ParsedEvent | RejectedLine]:
    ids = EventIds()
    for entry in table:
        if isinstance(entry, RejectedLine):
            yield entry
            continue
        fields: dict[str, object] = {name: entry.cells[column] for name, column in columns.items()}
        if not fields.get("type"):
            fields["type"] = default_type
        yield _event(entry.line, entry.raw, fields, currency, ids)


def _event(
    line: int, raw: str, fields: Mapping[str, object], currency: str, ids: EventIds
) -> ParsedEvent | RejectedLine:
    try:
        interaction = event_from_fields(fields, currency)
    except InvalidArgument as error:
        return RejectedLine(line, raw, error.message)
    if not interaction.event_id:
        interaction.event_id = ids.next_for(interaction)
    return ParsedEvent(line, interaction)
