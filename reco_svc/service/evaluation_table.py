"""A CSV file in columns that knows which line a value came from."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from meshkit.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class TaskTable:
    """The columns of a CSV file by name, all of one length."""

    path: Path
    names: Sequence[str]
    columns: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def column(self, name: str) -> Sequence[str]:
        """Values in order of the file."""
        return self.columns[self.names.index(name)]

    def wrong(self, at: int, name: str, problem: str) -> InvalidArgument:
        """An error about the value of a row (from 0): names the file, its line and the field."""
        return InvalidArgument.of(self.path.name, f"line {_line_of(self.path, at)}: {name}: {problem}")


def existing(path: Path) -> Path | None:
    """The file, or the one without .gz; None when there is neither."""
    return next((p for p in (path, path.with_suffix("")) if p.is_file()), None)


def read_table(path: Path, needed: Sequence[str]) -> TaskTable:
    """Reads a table; the `needed` columns must be there, without blanks. InvalidArgument says what is wrong where."""
    if not path.is_file():
        raise InvalidArgument.of(path.name, f"is missing in {path.parent}")
    with _lines(path) as lines:
        reader = csv.reader(lines)
        names = [name.strip() for name in next(reader, [])]
        if missing := [name for name in needed if name not in names]:
            had = ", ".join(names) or "nothing"
            raise InvalidArgument.of(path.name, f"line 1: has no column {', '.join(missing)} (it has {had})")
        rows = []
        for row in reader:
            if len(row) != len(names):
                if not row:
                    continue
                problem = f"has {len(row)} fields, the header has {len(names)}"
                raise InvalidArgument.of(path.name, f"line {reader.line_num}: {problem}")
            rows.append(row)
    table = TaskTable(path, names, list(zip(*rows, strict=True)) if rows else [() for _ in names])
    for name in needed:
        if "" in table.column(name):
            raise table.wrong(table.column(name).index(""), name, "is empty")
    return table


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    """The text of a file; what can not be read becomes an InvalidArgument that names the file."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
                yield lines
        else:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield lines
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidArgument.of(path.name, f"can not be read: {error}") from None


def _line_of(path: Path, at: int) -> int:
    """The line on which row `at` (from 0, without blank lines) ends."""
    with _lines(path) as lines:
        reader = csv.reader(lines)
        next(reader, None)
        for row in reader:
            if row:
                if at == 0:
                    return reader.line_num
                at -= 1
    return 0
