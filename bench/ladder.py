"""Finding the highest rate a server sustains: a doubling ladder, then bisection below the first rung that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.open_loop import LoadResult

KEPT = 0.98  # a rung holds when at least this share of what was offered was answered well …
BISECTIONS = 2


@dataclass(frozen=True, slots=True)
class Rung:
    """One rate that was tried; `holds` if nearly all was answered and p99 stayed within the bound."""

    result: LoadResult
    holds: bool


def climb(offer: Callable[[float], LoadResult], *, start: float, most: float, p99_ms: float) -> list[Rung]:
    """Tries rates from `start` up to `most` requests a second; returns every rung in the order tried."""
    rungs: list[Rung] = []

    def tried(rate: float) -> bool:
        result = offer(rate)
        holds = result.achieved_rps >= KEPT * rate and result.percentile_ms(99) <= p99_ms
        rungs.append(Rung(result, holds))
        return holds

    low, high, rate = 0.0, 0.0, start
    while rate <= most:
        if not tried(rate):
            high = rate
            break
        low, rate = rate, rate * 2
    for _ in range(BISECTIONS if low and high else 0):
        middle = (low + high) / 2
        if tried(middle):
            low = middle
        else:
            high = middle
    return rungs


def best(rungs: list[Rung]) -> LoadResult | None:
    """The fastest rung that held; None if none did."""
    held = [r.result for r in rungs if r.holds]
    return max(held, key=lambda r: r.offered_rps) if held else None
