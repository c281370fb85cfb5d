"""The plots of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reco_svc.domain.evaluation.bootstrap import Figure
from reco_svc.domain.evaluation.results import KnobResult, SliceResult, SystemKind, SystemResult
from recomesh_cli.evaluation.svg import WIDTH, Scale, bar, dot, line, number, path, picture, text, titled

ROW = 25.0
LABELS = 128.0
VALUES = 48.0
PLOT, FLOOR, TOP = 150.0, 34.0, 14.0  # heights of a plot with a vertical axis
LEFT, RIGHT = 38.0, 10.0


def forest(systems: Sequence[SystemResult], metric: str) -> str:
    """A row for each system, best first: its figure with the interval, and the best baseline as a dashed line."""
    ordered = sorted(systems, key=lambda s: -s.figures[metric].value)
    high = max(s.figures[metric].high for s in systems)
    scale = Scale(0.0, high or 1.0, LABELS + 6, WIDTH - VALUES - 6)
    height = TOP + ROW * len(ordered) + 22
    rivals = [s.figures[metric].value for s in systems if s.kind is SystemKind.BASELINE]
    marks = [*_grid(scale, TOP, height - 20)]
    if rivals:
        marks.append(line(scale(max(rivals)), TOP - 4, scale(max(rivals)), height - 20, "rival"))
    for at, system in enumerate(ordered):
        figure, y = system.figures[metric], TOP + ROW * (at + 0.5)
        css = system.kind.value
        said = f"{system.name}: {figure.value:.4f}, 95 % interval {figure.low:.4f} to {figure.high:.4f}"
        marks += [
            text(LABELS, y + 4, _short(system.name), f"label {css}-text", "end"),
            titled(
                said,
                line(scale(figure.low), y, scale(figure.high), y, f"{css} whisker"),
                dot(scale(figure.value), y, css),
            ),
            text(WIDTH - 2, y + 4, f"{figure.value:.4f}", f"value {css}-text", "end"),
        ]
    return picture(height, f"{metric} of each system with 95 % intervals", marks)


def bars(values: Mapping[str, float], css: Mapping[str, str], label: str) -> str:
    """A bar of a share for each name, in their order."""
    scale = Scale(0.0, max([*values.values(), 1e-9]), LABELS + 6, WIDTH - VALUES)
    marks = []
    for at, (name, value) in enumerate(values.items()):
        y = 6 + ROW * at
        width = scale(value) - LABELS - 6
        marks += [
            text(LABELS, y + 15, _short(name), f"label {css[name]}-text", "end"),
            titled(f"{name}: {value:.1%}", bar(LABELS + 6, y + 3, width, ROW - 8, css[name])),
            text(WIDTH - 2, y + 15, f"{value:.1%}", "value", "end"),
        ]
    return picture(12 + ROW * len(values), label, marks)


def slices(parts: Sequence[SliceResult], series: Mapping[str, str], metric: str, unit: str) -> str:
    """A group of dots with intervals for each part; `series` is system → CSS class, in order.

    The name "best source" stands for the best single source of the part.
    """
    shown = [{name: _of(part, name) for name in series} for part in parts]
    high = max((figure.high for figures in shown for figure in figures.values()), default=1.0) or 1.0
    y_scale = Scale(0.0, high, TOP + PLOT, TOP)
    marks = _levels(y_scale)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(parts))
    for at, (part, figures) in enumerate(zip(parts, shown, strict=True)):
        middle = LEFT + step * (at + 0.5)
        for place, (name, figure) in enumerate(figures.items()):
            x = middle + (place - (len(figures) - 1) / 2) * min(13.0, step / (len(figures) + 1))
            said = f"{name}, {part.label}: {figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"
            whisker = line(x, y_scale(figure.low), x, y_scale(figure.high), f"{series[name]} whisker")
            marks.append(titled(said, whisker, dot(x, y_scale(figure.value), series[name], 3.6)))
        words = part.label.split(":")[0].replace(" bought or seen", "")
        marks.append(text(middle, TOP + PLOT + 15, words, "tick", "middle"))
        marks.append(text(middle, TOP + PLOT + 28, f"{part.size:,}", "faint", "middle"))
    marks.append(text(2, TOP + PLOT + 28, unit, "faint"))
    return picture(TOP + PLOT + FLOOR, f"{metric} by {unit}", marks)


def knob(results: Sequence[KnobResult], moved: str) -> str:
    """Above what a knob costs in NDCG@10 (with its interval), below what it moves."""
    x_scale = Scale(results[0].value, results[-1].value, LEFT + 8, WIDTH - RIGHT - 24)
    top = max(r.ndcg.high for r in results) or 1.0
    upper = Scale(0.0, top, TOP + 96, TOP)
    gains = [r.beyond[moved] for r in results]
    margin = 0.15 * (max(gains) - min(gains)) or 0.1
    lower = Scale(min(gains) - margin, max(gains) + margin, TOP + 216, TOP + 134)
    band = [(x_scale(r.value), upper(r.ndcg.high)) for r in results]
    band += [(x_scale(r.value), upper(r.ndcg.low)) for r in reversed(results)]
    marks = [*_levels(upper), *_levels(lower, 3), path(band, "band", closed=True)]
    marks.append(text(LEFT, TOP - 3, "ndcg@10: the cost", "axis"))
    marks.append(text(LEFT, TOP + 128, f"{moved}: the gain", "axis"))
    for scale, values, css in ((upper, [r.ndcg.value for r in results], "blend"), (lower, gains, "gain")):
        points = [(x_scale(r.value), scale(value)) for r, value in zip(results, values, strict=True)]
        marks.append(path(points, f"{css} curve"))
        for result, value, (x, y) in zip(results, values, points, strict=True):
            marks.append(titled(f"at {result.value:g}: {value:.4f}", dot(x, y, css, 3.6)))
    base = results[0].ndcg.value
    last = results[-1]
    if base > 0:
        change = f"{last.ndcg.value / base - 1:+.0%}"
        marks.append(text(x_scale(last.value) + 6, upper(last.ndcg.value) + 4, change, "value"))
    marks += [text(x_scale(r.value), TOP + 234, f"{r.value:g}", "tick", "middle") for r in results]
    return picture(TOP + 240, f"What the knob costs in ndcg@10 and moves in {moved}", marks)


def _of(part: SliceResult, name: str) -> Figure:
    return part.figures[part.best_source if name == "best source" else name]


def _grid(scale: Scale, top: float, bottom: float) -> list[str]:
    marks = []
    for tick in scale.ticks():
        marks.append(line(scale(tick), top, scale(tick), bottom, "grid"))
        marks.append(text(scale(tick), bottom + 14, number(tick), "tick", "middle"))
    return marks


def _levels(scale: Scale, most: int = 4) -> list[str]:
    marks = []
    for tick in scale.ticks(most):
        marks.append(line(LEFT, scale(tick), WIDTH - RIGHT, scale(tick), "grid"))
        marks.append(text(LEFT - 5, scale(tick) + 4, number(tick), "tick", "end"))
    return marks


def _short(name: str) -> str:
    return name.removeprefix("baseline: ").replace("_", " ")
