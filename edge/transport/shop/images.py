"""Drawings that stand for product photos: the same product always looks the same, and a category has one colour."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from xml.sax.saxutils import escape

SIZE = 400
_CENTRE = SIZE / 2


def drawing(product_id: str, title: str, category: str) -> str:
    """An SVG of 400 × 400: hue by department, shape by category, turn by product, initials of the title."""
    parts = [part.strip() for part in category.split(">") if part.strip()]
    hue = _number(parts[0] if parts else "", 360)
    shade = _number(product_id, 16)
    shape = _SHAPES[_number(" > ".join(parts[:2]), len(_SHAPES))]
    turn = _number(product_id + "/turn", 360)
    light, middle, dark = (f"hsl({hue} {s}% {li}%)" for s, li in ((45, 88), (52, 62 + shade // 2), (48, 32)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img">'
        f"<title>{_text(title)}</title>"
        f'<rect width="{SIZE}" height="{SIZE}" fill="{light}"/>'
        f'<circle cx="{60 + turn}" cy="{340 - turn // 2}" r="150" fill="{middle}" opacity=".22"/>'
        f'<g transform="rotate({turn // 8 - 22} {_CENTRE:g} {_CENTRE:g})" fill="{middle}">{shape()}</g>'
        f'<text x="{_CENTRE:g}" y="{_CENTRE:g}" dy=".36em" text-anchor="middle" font-family="system-ui, sans-serif" '
        f'font-size="84" font-weight="700" fill="{dark}">{_text(initials(title))}</text></svg>'
    )


def initials(title: str) -> str:
    """The first letters of the last two words before a comma: "Oak Chef Knife, 20 cm" is CK; "?" without a letter."""
    words = [word for word in title.partition(",")[0].split() if word[0].isalpha()]
    return "".join(word[0].upper()[0] for word in words[-2:]) or "?"


def _number(text: str, below: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") % below


def _text(text: str) -> str:
    """Escaped, without the control characters that XML forbids."""
    return escape("".join(c for c in text if c.isprintable()))


def _polygon(corners: int, radius: float, inner: float | None = None) -> str:
    points = []
    steps = corners * (2 if inner else 1)
    for step in range(steps):
        reach = inner if inner and step % 2 else radius
        angle = 2 * math.pi * step / steps - math.pi / 2
        points.append(f"{_CENTRE + reach * math.cos(angle):.1f},{_CENTRE + reach * math.sin(angle):.1f}")
    return f'<polygon points="{" ".join(points)}" stroke-linejoin="round"/>'


_SHAPES: tuple[Callable[[], str], ...] = (
    lambda: f'<circle cx="{_CENTRE:g}" cy="{_CENTRE:g}" r="125"/>',
    lambda: '<rect x="85" y="85" width="230" height="230" rx="48"/>',
    lambda: '<rect x="60" y="115" width="280" height="170" rx="85"/>',
    lambda: _polygon(6, 140),
    lambda: _polygon(8, 135),
    lambda: _polygon(12, 140, 118),
    lambda: _polygon(9, 142, 126),
    lambda: '<path d="M200 60 C320 120 320 280 200 340 C80 280 80 120 200 60 Z"/>',
)
