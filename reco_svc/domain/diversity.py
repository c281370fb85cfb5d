"""Varied lists: one variant per group, one of near-duplicates, and maximal marginal relevance (Carbonell and Goldstein,
SIGIR 1998)."""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numba import njit

from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Ints, Rows, Vectors
from reco_svc.domain.top_k import in_order

if TYPE_CHECKING:
    from reco_svc.domain.product_table import ProductTable

DEFAULT_DIVERSITY = MappingProxyType(
    {
        Strategy.AUTO: 0.1,
        Strategy.SESSION: 0.1,
        Strategy.PERSONAL: 0.2,
        Strategy.VIEWED_TOGETHER: 0.1,
        Strategy.BOUGHT_TOGETHER: 0.1,
    }
)
"""For a query that names none; 0 for the strategies that are not here."""

TWINS = 1 << 40  # codes of near-duplicates begin here, above all of groups
NO_TWINS: Ints = np.empty(0, np.int32)
NO_TWINS.setflags(write=False)  # as those of a snapshot: one kernel does for both
_SAME_CATEGORY = 0.25  # share of the category in the likeness of two products; the rest is the cosine of their vectors


def shortlist(
    scores: Vectors, rows: Rows, k: int, table: ProductTable, taken: Collection[int], twins: Ints = NO_TWINS
) -> Rows:
    """Positions of the k best with a positive score, best first, ties by product id, the first of each group of
    variants and of its near-duplicates. Shapes (n,), (n,) → (at most k,).

    `twins` has a code by row, -1 for none and for rows past its end. Groups in `taken`, and near-duplicates with the
    code TWINS + theirs, have one already.
    """
    if k <= 0 or not len(rows):
        return np.empty(0, np.int64)
    held = np.fromiter(taken, np.int64, len(taken))
    places: Rows = first_of_groups(scores, rows, k, table.id_rank, table.group, twins, held)
    return places


def varied(scores: Vectors, vectors: Vectors, leaf: npt.NDArray[np.int32], diversity: float, k: int) -> Rows:
    """Positions of the k picks, in order: each the best of (1 - d) · relevance - d · likeness to the picks before it.

    `scores` (n,) best first, scaled here to 0 … 1; `vectors` (n, dim) normalised or zero; `leaf` (n,) category codes.
    The first is always the best; ties go to the better score.
    """
    n = len(scores)
    if diversity <= 0 or n <= 2:
        return np.arange(min(k, n))
    picks: Rows = most_varied(scores, vectors, leaf, diversity, min(k, n))
    return picks


@njit(cache=True, nogil=True)
def first_of_groups(scores, rows, k, id_rank, group, twins, held):  # type: ignore[no-untyped-def]
    """Compiled: `shortlist` for a k of 1 or more; `id_rank` and `group` are the table's, `held` what is taken."""
    order = _ranked(scores, rows, id_rank)
    kept, count = np.empty(min(k, len(order)), np.int64), 0
    groups, seen = np.empty(len(held) + 2 * len(kept), np.int64), len(held)
    groups[:seen] = held
    for place in order:
        if count == len(kept) or not scores[place] > 0:
            break
        row = rows[place]
        code = group[row]
        twin = TWINS + twins[row] if row < len(twins) and twins[row] >= 0 else -1
        if (code >= 0 and (groups[:seen] == code).any()) or (twin >= 0 and (groups[:seen] == twin).any()):
            continue
        if code >= 0:
            groups[seen] = code
            seen += 1
        if twin >= 0:
            groups[seen] = twin
            seen += 1
        kept[count] = place
        count += 1
    return kept[:count]


@njit(cache=True, nogil=True)
def _ranked(scores, rows, id_rank):  # type: ignore[no-untyped-def]
    """Positions best first, ties by product id. Sources and blends are mostly in that order: then no rank is looked up
    but those of equals."""
    for at in range(1, len(scores)):
        equal = scores[at] == scores[at - 1]
        if scores[at] > scores[at - 1] or (equal and id_rank[rows[at]] < id_rank[rows[at - 1]]):
            return in_order(scores, id_rank[rows])
    return np.arange(len(scores))


@njit(cache=True, nogil=True)
def most_varied(scores, vectors, leaf, diversity, k):  # type: ignore[no-untyped-def]
    """Compiled: `varied`. Likeness is worked out to those that are picked, of those that are not yet."""
    n = len(scores)
    span = scores[0] - scores[-1]
    worth, nearest, picks = np.empty(n), np.zeros(n), np.empty(k, np.int64)
    for place in range(n):
        worth[place] = (1.0 - diversity) * ((scores[place] - scores[-1]) / span if span > 0 else 1.0)
    for at in range(k):
        best = 0
        for place in range(1, n):
            if worth[place] - nearest[place] > worth[best] - nearest[best]:
                best = place
        picks[at] = best
        worth[best] = -np.inf
        if at == k - 1:
            break
        for place in range(n):
            if worth[place] == -np.inf:
                continue
            like = max(_cosine(vectors[best], vectors[place]), 0.0) * diversity * (1.0 - _SAME_CATEGORY)
            if leaf[place] >= 0 and leaf[place] == leaf[best]:
                like += diversity * _SAME_CATEGORY
            nearest[place] = max(nearest[place], like)
    return picks


@njit(cache=True, nogil=True, fastmath=True)
def _cosine(one, other):  # type: ignore[no-untyped-def]
    """Of normalised vectors; the order of adding is left to the compiler, which then does eight at a time."""
    total = np.float32(0.0)
    for at in range(len(one)):
        total += one[at] * other[at]
    return total
