"""The best of scored rows, alike everywhere: by score, ties by product id, never a full sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from reco_svc.domain.ports import Rows, Vectors

if TYPE_CHECKING:
    from reco_svc.domain.product_table import ProductTable


def top_k(scores: Vectors, rows: Rows, k: int, table: ProductTable) -> Rows:
    """Positions in `rows` of the k best `scores`, best first, ties by product id; all of them when there are fewer.

    Shapes (n,), (n,) → (min(k, n),). Scores are finite. Linear in n: only the k best are sorted.
    """
    if k <= 0 or not len(scores):
        return np.empty(0, np.int64)
    places: Rows = top_places(scores, rows, k, table.id_rank)
    return places


@njit(cache=True, nogil=True)
def top_places(scores, rows, k, id_rank):  # type: ignore[no-untyped-def]
    """Compiled: `top_k` for a k of 1 or more; `id_rank` is the table's."""
    n = len(scores)
    if k >= n:
        return in_order(scores, id_rank[rows])
    last = np.partition(scores, n - k)[n - k]
    best, count = np.empty(k, np.int64), 0
    for place in range(n):
        if scores[place] > last:
            best[count] = place
            count += 1
    tied = np.flatnonzero(scores == last)
    if len(tied) > k - count:  # many share the k-th score: those that come first by id
        ranks = id_rank[rows[tied]]
        tied = tied[ranks <= np.partition(ranks, k - count - 1)[k - count - 1]]
    best[count:] = tied
    return best[in_order(scores[best], id_rank[rows[best]])]


@njit(cache=True, nogil=True)
def in_order(scores, ranks):  # type: ignore[no-untyped-def]
    """Compiled: positions by falling score, equal scores by rising rank; shapes (n,), (n,) → (n,). Quick where they
    are in order already."""
    order = np.arange(len(scores))
    for at in range(1, len(scores)):
        if scores[at] > scores[at - 1]:
            order = np.argsort(-scores)
            break
    for at in range(1, len(order)):
        place, to = order[at], at
        while to > 0 and scores[order[to - 1]] == scores[place] and ranks[order[to - 1]] > ranks[place]:
            order[to] = order[to - 1]
            to -= 1
        order[to] = place
    return order
