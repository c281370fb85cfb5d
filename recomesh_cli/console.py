"""What the commands write: tables and JSON to standard output, progress and errors to standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 160


def out() -> Console:
    """Standard output as it is now; wide when it is no terminal, so that piped tables are not cut."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)


def err() -> Console:
    """Standard error as it is now."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)


def write_json(value: object) -> None:
    """Indented JSON on standard output."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """A plain table; `right` names the columns that hold numbers. Cells are text, never markup."""
    made = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escaped(cell) for cell in row))
    return made


def escaped(text: str) -> str:
    """Text that Rich shows as it is, with control characters made visible (they could drive a terminal)."""
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return visible.replace("[", r"\[")


def pairs(title: str, facts: Mapping[str, object]) -> Table:
    """Names and values."""
    return table(title, ("", ""), [(name, str(value)) for name, value in facts.items()])


def number(value: float) -> str:
    """A number as people read it: thousands apart, four digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:.4g}"


def quality_table(title: str, quality: Mapping[str, Mapping[str, float]]) -> Table:
    """Source → metric → value, the blend "auto" first, then by name."""
    metrics = sorted({metric for values in quality.values() for metric in values})
    rows = [
        (source, *(f"{quality[source][m]:.4f}" if m in quality[source] else "" for m in metrics))
        for source in sorted(quality, key=lambda s: (s != "auto", s))
    ]
    return table(title, ("source", *metrics), rows, right=metrics)


def progress(*, quiet: bool) -> Progress:
    """A progress display on standard error; silent when `quiet` or when standard error is no terminal."""
    console = err()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
