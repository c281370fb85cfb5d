"""Product files as lines of an import job."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import orjson
from recomesh.catalog.v1 import catalog_pb2

from catalog_svc.service.import_jobs import InputLine
from catalog_svc.transport.mapping import product_from_proto
from feeds.model import ParsedProduct, RejectedLine
from feeds.products import read_products
from meshkit.errors import InvalidArgument
from meshkit.product_card import card_from_proto


class FeedFile:
    """An uploaded file; `done_bytes` says how much of it was read."""

    def __init__(self, path: Path, format: str, currency: str) -> None:
        self._stream: BinaryIO = path.open("rb")
        self._format = format
        self._currency = currency

    def done_bytes(self) -> int:
        """Bytes read, compressed ones where the file is compressed."""
        return self._stream.tell()

    def lines(self) -> Iterator[InputLine]:
        """The entries in order. Raises InvalidArgument for a file that is not of its format at all."""
        for entry in read_products(self._stream, self._format, currency=self._currency):
            yield _line(entry)

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()


def _line(entry: ParsedProduct | RejectedLine) -> InputLine:
    if isinstance(entry, RejectedLine):
        return InputLine(entry.line, partial(_storable, entry.raw), None, _storable(entry.reason))
    try:
        product, reason = product_from_proto(entry.product), ""
    except InvalidArgument as error:
        product, reason = None, error.message
    return InputLine(entry.line, partial(as_json, entry.product), product, reason)


def as_json(product: catalog_pb2.Product) -> str:
    """The product as a line of JSON, fit to be mended and sent again."""
    return orjson.dumps(card_from_proto(product)).decode()


def _storable(text: str) -> str:
    # What was no UTF-8 comes as lone surrogates, which no database takes.
    return text.encode(errors="replace").decode().replace("\x00", "\ufffd")
