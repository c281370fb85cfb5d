"""Rows of CSV and TSV files, one at a time, with the line each began on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from feeds.lines import LineReader, refuse_file
from feeds.model import RejectedLine

DELIMITERS = (",", "\t", ";")


class Row(NamedTuple):
    """One record: the line it began on (from 1), its text as read, and its cells by column, stripped."""

    line: int
    raw: str
    cells: dict[str, str]


class Table:
    """A delimited file with a header row; the delimiter (comma, tab, semicolon) is found in the header.

    Raises InvalidArgument when the header is broken or has empty or repeated names. An empty file has no columns and
    no rows.
    """

    def __init__(self, feed: io.BufferedReader) -> None:
        self._lines = LineReader(feed, strict=False)
        self._source = iter(self._lines)
        self._record: list[str] = []
        header = next((line for line in self._source if not line.isspace()), "")
        if self._lines.damaged:
            raise refuse_file("the header is not valid UTF-8 text")
        delimiter = max(DELIMITERS, key=header.count)
        # Strictness would refuse `"Nice" pan` in a TSV; tab-separated feeds quote loosely.
        self._reader = csv.reader(self._tracked(), delimiter=delimiter, strict=delimiter != "\t")
        try:
            self.columns = tuple(name.strip() for name in next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error as error:
            raise refuse_file(f"the header is broken CSV: {error}") from None
        self._check_header()

    def _check_header(self) -> None:
        if not any(self.columns):
            self.columns = ()
        seen: set[str] = set()
        for position, name in enumerate(self.columns, start=1):
            if not name:
                raise refuse_file(f"column {position} of the header has no name")
            if name in seen:
                raise refuse_file(f"the header names {name!r} twice")
            seen.add(name)

    def rename(self, names: dict[str, str]) -> None:
        """Gives columns other names for the rows to come."""
        self.columns = tuple(names.get(name, name) for name in self.columns)
        self._check_header()

    def _tracked(self) -> Iterator[str]:
        for line in self._source:
            self._record.append(line)
            yield line

    def __iter__(self) -> Iterator[Row | RejectedLine]:
        while True:
            self._record.clear()
            self._lines.damaged = False
            entry = self._next()
            yield from self._lines.take_rejected()
            if entry is None:
                return
            if entry.raw.strip():
                yield entry

    def _next(self) -> Row | RejectedLine | None:
        try:
            values = next(self._reader, None)
            problem = None if values is None else self._problem(values)
        except csv.Error as error:
            values, problem = [], f"broken CSV: {error}"
        if values is None:
            return None
        raw = "".join(self._record).rstrip("\r\n")
        start = self._lines.line - len(self._record) + 1
        if problem is not None:
            return RejectedLine(start, raw.encode(errors="replace").decode(), problem)
        return Row(start, raw, dict(zip(self.columns, map(str.strip, values), strict=False)))

    def _problem(self, values: list[str]) -> str | None:
        if self._lines.damaged:
            return "is not valid UTF-8 text"
        if values and len(values) != len(self.columns):
            return f"has {len(values)} cells, the header has {len(self.columns)}"
        return None
