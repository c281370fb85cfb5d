"""Parts of the questions and parts of the catalog, to see for whom and for what lists are good."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reco_svc.domain.ports import Mask, Rows

HISTORY_BOUNDS = (
    0,
    1,
    4,
    9,
    19,
    49,
)  # distinct products of a history: upper ends of all slices but the last
NEVER, TAIL, MIDDLE, HEAD = "never bought or seen", "tail: last 20 % of events", "middle: next 30 %", "head: first 50 %"
_SHARES = ((MIDDLE, 0.8), (HEAD, 0.5))


def by_history_length(lengths: Sequence[int]) -> list[tuple[str, Mask]]:
    """(label, which questions) of every slice that has any, short histories first."""
    sizes = np.array(lengths, np.int64)
    slices = []
    low = 0
    for high in (*HISTORY_BOUNDS, None):
        inside = (sizes >= low) & (sizes <= high) if high is not None else sizes >= low
        label = f"{low}+" if high is None else str(low) if low == high else f"{low}–{high}"
        if inside.any():
            slices.append((label, inside))
        low = 0 if high is None else high + 1
    return slices


def by_popularity(events: Rows) -> list[tuple[str, Mask]]:
    """(label, which products (n,)) from those without any event to the few that make up half of all events.

    Products are taken in order of their events until these reach a share; equals stay together in the rarer part.
    """
    never = events <= 0
    parts = {NEVER: never, TAIL: ~never}
    total = float(events.sum())
    descending = np.sort(events)[::-1]
    reached = np.cumsum(descending)
    for label, share in _SHARES:
        if total <= 0:
            break
        last = int(np.searchsorted(reached, share * total))
        inside = events >= max(int(descending[min(last, len(descending) - 1)]), 1)
        for name in parts:
            parts[name] = parts[name] & ~inside
        parts[label] = inside
    return [(label, inside) for label, inside in parts.items() if inside.any()]
