"""A few SVG marks as text. Colours are CSS classes of the page, so that a plot follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360  # a plot is drawn for a phone and scales up


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from `low` to `high` onto positions from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The position of a value."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 4) -> Sequence[float]:
        """Round numbers inside, about `most`."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        step = 10.0 ** math.floor(math.log10(span / most))
        step *= next(m for m in (1, 2, 5, 10) if span / (step * m) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [at * step for at in range(first, math.floor(self.high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """Short, without trailing zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    """A line of text; `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def dot(x: float, y: float, css: str, radius: float = 4.0) -> str:
    """A filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{css}"/>'


def bar(x: float, y: float, width: float, height: float, css: str) -> str:
    """A rectangle with soft corners."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" height="{height:.1f}" rx="2" class="{css}"/>'


def path(points: Sequence[tuple[float, float]], css: str, *, closed: bool = False) -> str:
    """A line through points."""
    steps = " ".join(f"{'M' if at == 0 else 'L'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(points))
    return f'<path d="{steps}{" Z" if closed else ""}" class="{css}"/>'


def titled(words: str, *marks: str) -> str:
    """Marks that tell `words` when pointed at."""
    return f"<g><title>{escape(words)}</title>{''.join(marks)}</g>"


def picture(height: float, label: str, marks: Sequence[str]) -> str:
    """The whole plot; `label` says to those who can not see it what it shows."""
    opening = f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label, quote=True)}">'
    return f"{opening}{''.join(marks)}</svg>"
