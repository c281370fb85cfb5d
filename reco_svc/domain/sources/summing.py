"""Adding what two lists say of the same rows."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit

from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.scratch import scratch

Scored: TypeAlias = tuple[Rows, Vectors, Rows]


def summed(one: Scored, other: Scored, scale: float) -> Scored:
    """The sum of two lists of rows, scores and evidence (n,), `other` times `scale`, in no order.

    Rows of a list are distinct; evidence is of the greater part, of `one` among equals.
    """
    most = 1 + int(max(one[0].max(initial=0), other[0].max(initial=0)))
    found: Scored = sum_of(*one, *other, np.float32(scale), scratch.places(most))
    return found


@njit(cache=True, nogil=True)
def sum_of(rows, scores, evidence, more_rows, more_scores, more_evidence, scale, places):  # type: ignore[no-untyped-def]
    """Compiled: `summed`. `places` are zeros by row: 1 + where a row stands."""
    most = len(rows) + len(more_rows)
    all_rows, total, seeds = np.empty(most, np.int64), np.empty(most, np.float32), np.empty(most, np.int64)
    count = len(rows)
    all_rows[:count], total[:count], seeds[:count] = rows, scores, evidence
    for at in range(count):
        places[rows[at]] = at + 1
    for at in range(len(more_rows)):
        place, part = places[more_rows[at]] - 1, more_scores[at] * scale
        if place < 0:
            all_rows[count], total[count], seeds[count] = more_rows[at], part, more_evidence[at]
            count += 1
            continue
        if part > total[place]:
            seeds[place] = more_evidence[at]
        total[place] += part
    for row in rows:
        places[row] = 0
    return all_rows[:count], total[:count], seeds[:count]
