"""The picture of a run: how p99 grows with the rate, a line for each case, its target as a cross."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def plot(found: dict[str, Any], path: Path) -> None:
    """Writes an SVG, the same for the same results."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "recomesh", "svg.fonttype": "none"})
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 4.5))
    series = [(f"bare {name}", bare["rungs"], 1, None) for name, bare in found.get("bare", {}).items()]
    series += [
        (name, case["rungs"], case["things_per_request"], case["target"])
        for name, case in found.get("cases", {}).items()
    ]
    for name, rungs, things, target in series:
        points = sorted((rung["achieved_rps"] * things, rung["ms"]["99"]) for rung in rungs if rung["achieved_rps"])
        style = "--" if target is None else "-"
        (line,) = axis.plot(*zip(*points, strict=True), style, marker=".", linewidth=1, markersize=4, label=name)
        if target is not None:
            axis.plot(target["rps"], target["p99_ms"], "x", color=line.get_color(), markersize=8)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="answered a second (events for events)",
        ylabel="p99, ms from when it was due",
    )
    axis.legend(fontsize=7, ncols=2)
    axis.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
