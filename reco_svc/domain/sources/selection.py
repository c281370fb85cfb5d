"""Picking the best of scored rows, alike in every source."""

from __future__ import annotations

import numpy as np
from numba import njit

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.product_table import ProductTable, top_k
from reco_svc.domain.top_k import top_places


def best(rows: Rows, scores: Vectors, evidence: Rows, k: int, products: ProductTable) -> Candidates:
    """The `k` best of distinct rows, best first, ties by product id."""
    if not len(rows):
        return Candidates.none()
    order = top_k(scores, rows, k, products)
    return Candidates(rows[order], scores[order].astype(np.float32), evidence[order])


def best_unexplained(rows: Rows, scores: Vectors, k: int, products: ProductTable) -> Candidates:
    """The same without evidence."""
    order = top_k(scores, rows, k, products)
    return Candidates(rows[order], scores[order], np.full(len(order), -1, np.int64))


def best_allowed(
    rows: Rows, scores: Vectors, evidence: Rows, k: int, allowed: Mask, products: ProductTable
) -> Candidates:
    """The `k` best of distinct rows that are allowed; rows past the mask are not."""
    if not len(rows) or k <= 0:
        return Candidates.none()
    return Candidates(*allowed_best(rows, scores, evidence, k, allowed, products.id_rank))


@njit(cache=True, nogil=True)
def allowed_best(rows, scores, evidence, k, allowed, id_rank):  # type: ignore[no-untyped-def]
    """Compiled: `best_allowed` for a k of 1 or more; `id_rank` is the table's."""
    places, count = np.empty(len(rows), np.int64), 0
    for at in range(len(rows)):
        if 0 <= rows[at] < len(allowed) and allowed[rows[at]]:
            places[count] = at
            count += 1
    places = places[:count]
    order = places[top_places(scores[places], rows[places], k, id_rank)]
    return rows[order], scores[order].astype(np.float32), evidence[order]


def within(rows: Rows, allowed: Mask) -> Mask:
    """Which of the rows are allowed; rows past the mask are not."""
    if rows.max(initial=-1) < len(allowed) and rows.min(initial=0) >= 0:
        return allowed[rows]
    inside = (rows >= 0) & (rows < len(allowed))
    inside[inside] = allowed[rows[inside]]
    return inside
