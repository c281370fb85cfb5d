"""What a fault run prints and writes: a table, JSON, and a picture of availability over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.chaos.cells import LEAD_S, Row

RESULTS = Path(__file__).parent.parent / "results"


def show(rows: Sequence[Row], console: Console) -> None:
    """The table for people."""
    table = Table(title="Every part broken under load")
    for column in ("part", "fault", "promise", "errors", "degraded", "p99 ms", "clean after", "load", "met"):
        table.add_column(column)
    for row in rows:
        table.add_row(row.name, row.fault, row.promise, *_cells(row), "yes" if row.met else "; ".join(row.broken))
    console.print(table)


def markdown(rows: Sequence[Row]) -> str:
    """The table for docs/resilience.md."""
    lines = ["| part | fault | promise | errors | degraded | p99 | clean after | load | met |", "|" + "---|" * 9]
    for row in rows:
        met = "yes" if row.met else f"**no**: {'; '.join(row.broken)}"
        lines.append("| " + " | ".join([row.name, row.fault, row.promise, *_cells(row), met]) + " |")
    return "\n".join(lines) + "\n"


def write(rows: Sequence[Row], *, rate: float, plot_to: Path | None) -> Path:
    """JSON, Markdown and SVG under bench/results/ (the picture also at `plot_to`); returns the JSON's path."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"chaos-{now:%Y%m%dT%H%M%SZ}.json"
    content = {
        "at": now.isoformat(),
        "rate": rate,
        "rows": [
            {
                "part": row.name,
                "fault": row.fault,
                "promise": row.promise,
                "measured": row.measured,
                "met": row.met,
                "broken": row.broken,
                "load_average": row.load_average,
                "timeline": [[round(x, 4) for x in point] for point in row.timeline],
            }
            for row in rows
        ],
    }
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    path.with_suffix(".md").write_text(markdown(rows))
    for target in (path.with_suffix(".svg"), *([plot_to] if plot_to else [])):
        plot(rows, target)
    return path


def plot(rows: Sequence[Row], path: Path) -> None:
    """Small pictures, one a cell: good answers green, degraded ones of them lighter, over seconds since the fault."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "recomesh", "svg.fonttype": "none"})
    from matplotlib import pyplot

    timed = [row for row in rows if row.timeline]
    columns = 4
    lines = max(1, -(-len(timed) // columns))
    figure, axes = pyplot.subplots(lines, columns, figsize=(12, 1.5 * lines), sharey=True, squeeze=False)
    for axis in axes.flat[len(timed) :]:
        axis.set_visible(False)
    for axis, row in zip(axes.flat, timed, strict=False):
        at = [point[0] - LEAD_S for point in row.timeline]
        good = [100 * point[1] for point in row.timeline]
        full = [100 * point[1] * (1 - point[2]) for point in row.timeline]
        axis.fill_between(at, good, color="#a8d5ba", step="post", linewidth=0)
        axis.fill_between(at, full, color="#2e8b57", step="post", linewidth=0)
        axis.axvline(0, color="#b03030", linewidth=0.8)
        axis.set_title(f"{row.name}: {row.fault}", fontsize=7)
        axis.set_ylim(0, 102)
        axis.set_yticks([0, 50, 100])
        axis.locator_params(axis="x", nbins=4)
        axis.tick_params(labelsize=6, length=0)
    figure.supxlabel("seconds since the fault", fontsize=8)
    figure.supylabel("% answered (light: degraded)", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _cells(row: Row) -> list[str]:
    m = row.measured
    if "errors" not in m:
        return [", ".join(f"{k} {v:g}" for k, v in m.items()), "", "", "", f"{row.load_average:g}"]
    return [
        f"{100 * m['errors']:.2f} %" + (f", events {100 * m['event_errors']:.1f} %" if m["event_errors"] else ""),
        f"{100 * m['degraded']:.0f} %",
        f"{m['p99_ms']:.0f} ms",
        f"{m['clean_s']:.1f} s",
        f"{row.load_average:g}",
    ]
