"""Items of a Google Merchant feed in RSS 2.0 or Atom, parsed as the bytes come in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from feeds.lines import DAMAGED, MAX_LINE_BYTES, READ_ERRORS, refuse_file
from feeds.merchant import MerchantItem
from feeds.model import RejectedLine

_CHUNK_BYTES = 1 << 16
_ROOTS = frozenset({"rss", "feed", "rdf"})
_GOOGLE = "{http://base.google.com/ns/1.0}"
_ITEMS = frozenset({"item", "entry"})


def read_items(feed: io.BufferedReader) -> Iterator[MerchantItem | RejectedLine]:
    """The items in order. XML that breaks after an item ends with a RejectedLine that says where.

    Raises InvalidArgument when it breaks earlier, is no RSS or Atom, or declares a document type (which could expand
    without bound).
    """
    target = _ItemCollector()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.expat = parser.parser
    try:
        while chunk := feed.read1(_CHUNK_BYTES):
            parser.feed(chunk)
            yield from target.take()
        parser.close()
    except DefusedXmlException:
        raise refuse_file("declares a document type or entities, which is refused for safety") from None
    except (ParseError, *READ_ERRORS) as error:
        yield from target.take()
        if not target.in_feed:
            raise refuse_file(f"is not well-formed XML: {error}") from None
        reason = f"broken XML, nothing after it was read: {error}" if isinstance(error, ParseError) else DAMAGED
        yield RejectedLine(target.expat.CurrentLineNumber, "", reason)


class _ItemCollector:
    """Gets the parser's callbacks; keeps the open item only."""

    def __init__(self) -> None:
        self.done: list[MerchantItem | RejectedLine] = []
        self.expat: Any = None  # set by the reader: pyexpat's parser knows the line
        self.in_feed = False
        self._fields: list[tuple[str, str]] | None = None
        self._line = 0
        self._depth = 0
        self._characters = 0
        self._text: list[str] = []

    def take(self) -> list[MerchantItem | RejectedLine]:
        """Items finished since the last call."""
        taken, self.done = self.done, []
        return taken

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if not self.in_feed:
            if name not in _ROOTS:
                raise refuse_file(f"is XML, but not RSS or Atom: its root is <{name[:100]}>")
            self.in_feed = True
        elif self._fields is None:
            if name in _ITEMS:
                self._fields, self._line, self._depth, self._characters = [], self.expat.CurrentLineNumber, 0, 0
        else:
            self._depth += 1
            self._text.clear()
            if name == "link" and attributes.get("href") and attributes.get("rel", "alternate") == "alternate":
                self._fields.append(("link", attributes["href"].strip()))

    def data(self, text: str) -> None:
        if self._fields is not None:
            self._characters += len(text)
            if self._characters <= MAX_LINE_BYTES:
                self._text.append(text)

    def end(self, tag: str) -> None:
        if self._fields is None:
            return
        if self._depth == 0:
            self._finish(self._fields)
            return
        value = "".join(self._text).strip()
        self._text.clear()
        if self._depth == 1 and value:
            self._fields.append((tag, value))
        self._depth -= 1

    def close(self) -> None:
        return None

    def _finish(self, elements: list[tuple[str, str]]) -> None:
        # Atom has an <id> and a <title> of its own; Google's fields come first, so that they win.
        elements.sort(key=lambda element: not element[0].startswith(_GOOGLE))
        fields = [(_local(tag), value) for tag, value in elements]
        raw = "\t".join(f"{name}={value}" for name, value in fields)
        if self._characters > MAX_LINE_BYTES:
            self.done.append(RejectedLine(self._line, raw[:2_000], "the item is longer than 1 MiB"))
        else:
            self.done.append(MerchantItem(self._line, raw, fields))
        self._fields = None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()
