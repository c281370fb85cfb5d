"""Item-item weights of whole histories.

EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019) while the products that anybody had fit a
dense inverse; beyond that, cosine item-kNN with shrinkage, made a block of products at a time. Both see two kinds of
rows: what a visitor ever had, and what a session had. Sessions weigh SESSION_SHARE and less the longer they are: their
products belong together more closely.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg, sparse

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.nearest import best_neighbours, damped, joined
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.snapshot import Collaborative, Graph

EASE_MOST_ITEMS = 8_000
WHOLE = 512  # products whose dense inverse LAPACK makes in one call
BLOCK = 1_000  # products whose neighbours are made at once
NEIGHBOURS = 200  # kept of each product
LONGEST = 500  # products of a visitor or session that count, the strongest
SESSION_SHARE = 4.0
SHRINKAGE = 20.0
DAY_S = 86_400.0


def collaborative(
    events: LearningEvents, n: int, now_s: float, *, half_life_days: float, regularisation: float
) -> Collaborative:
    """Weights over the rows that at least two visitors or sessions had; empty when there are fewer than two such rows.

    An event counts half for every `half_life_days` of age. `regularisation` is λ of EASE as a multiple of the mean of
    the diagonal of the Gram matrix. Time and memory of EASE grow with the cube and the square of the products; those of
    item-kNN with the sum of squares of the lengths of histories, and with the products. Its neighbours are not damped
    yet, see without_hubs.
    """
    visitors = strengths(events, events.visitor, n, now_s, half_life_days)
    sessions = strengths(events, events.session, n, now_s, half_life_days)
    held = np.maximum((visitors > 0).sum(0), (sessions > 0).sum(0)).A1 if visitors.shape[0] else np.zeros(n)
    rows = np.flatnonzero(held >= 2)
    if len(rows) < 2:
        return Collaborative.empty(n)
    column = np.full(n, -1, np.int32)
    column[rows] = np.arange(len(rows))
    if len(rows) > EASE_MOST_ITEMS:
        none = np.zeros((0, 0), np.float32)
        return Collaborative(none, column, rows.astype(np.int32), item_knn(visitors, sessions))
    weights = ease(common(visitors[:, rows], sessions[:, rows]), regularisation)
    return Collaborative(weights, column, rows.astype(np.int32), Graph.empty(n))


def without_hubs(model: Collaborative, damping: float) -> Collaborative:
    """Item-kNN with its neighbours damped to a power, see nearest.damped; EASE as it is."""
    if not damping or not len(model.neighbours.rows):
        return model
    return replace(model, neighbours=damped(model.neighbours, damping))


def strengths(events: LearningEvents, unit: Rows, n: int, now_s: float, half_life_days: float) -> sparse.csr_matrix:
    """Units (visitors or sessions) × rows: how much each had each, about 1 on average.

    The log of the sum of event weights, so that a purchase says more than a view but ten views do not say ten times as
    much, halved for age; nothing where removals and refunds outweigh the rest.
    """
    units = int(unit.max()) + 1 if len(events) else 0
    if not units:
        return sparse.csr_matrix((0, n), dtype=np.float32)
    age = 0.5 ** (np.maximum(0.0, now_s - events.at_s) / DAY_S / half_life_days)
    total = sparse.coo_matrix((events.weight, (unit, events.row)), shape=(units, n), dtype=np.float32).tocsr()
    aged = sparse.coo_matrix((events.weight * age, (unit, events.row)), shape=(units, n), dtype=np.float32).tocsr()
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total.data > 0, np.clip(aged.data / total.data, 0.0, 1.0), 0.0)
    strength = np.log1p(np.maximum(total.data, 0.0))
    mean = float(strength[strength > 0].mean()) if (strength > 0).any() else 1.0
    total.data = (strength / mean * np.sqrt(share)).astype(np.float32)
    total.eliminate_zeros()
    return total


def common(visitors: sparse.csr_matrix, sessions: sparse.csr_matrix) -> Vectors:
    """The Gram matrix (c, c) of both kinds of rows."""
    both = _both(visitors, sessions)
    gram: Vectors = (both.T @ both).toarray()
    return gram


def _both(visitors: sparse.csr_matrix, sessions: sparse.csr_matrix) -> sparse.csr_matrix:
    """Visitors above sessions, those lighter the longer they are."""
    length = np.maximum(np.diff(sessions.indptr), 1)
    lighter = sparse.diags((SESSION_SHARE**0.5 * length**-0.25).astype(np.float32)) @ sessions
    return sparse.vstack([visitors, lighter]).tocsr()


def ease(gram: Vectors, regularisation: float) -> Vectors:
    """(c, c) float32 with a zero diagonal: B = I - P / diag(P), P = (G + λI)⁻¹; scores are history @ B.

    λ is `regularisation` times the mean of the diagonal of the Gram matrix `gram` (c, c).
    """
    inverse = np.array(gram, np.float32, order="C")  # as answers read it: a row lies in one piece, not in 8,000 places
    diagonal = np.einsum("ii->i", inverse)
    diagonal += regularisation * diagonal.mean() + 1e-6
    _invert(inverse)
    weights: Vectors = (-inverse / np.diag(inverse)).astype(np.float32, copy=False)
    np.fill_diagonal(weights, 0.0)
    return weights


def _invert(square: Vectors) -> None:
    """Inverts a symmetric positive definite (c, c) float32 matrix in place, by halves and their Schur complement.

    A third more work than LAPACK, but in pieces: SciPy holds the interpreter during a call of LAPACK, which of a whole
    catalog takes half a minute, and a process that is silent for so long is taken for hung.
    """
    if len(square) <= WHOLE:
        factor, _ = linalg.lapack.spotrf(square, lower=True)
        lower, _ = linalg.lapack.spotri(factor, lower=True, overwrite_c=True)
        square[:] = np.tril(lower) + np.tril(lower, -1).T
        return
    half = len(square) // 2
    first, cross, second = square[:half, :half], square[:half, half:], square[half:, half:]
    _invert(first)
    reach = first @ cross
    second -= cross.T @ reach
    _invert(second)
    cross[:] = -(reach @ second)
    first -= cross @ reach.T
    square[half:, :half] = cross.T


def item_knn(visitors: sparse.csr_matrix, sessions: sparse.csr_matrix) -> Graph:
    """The NEIGHBOURS nearest of each of the n columns by cosine, shrunk towards 0 where they have little in common."""
    both = _strongest(_both(visitors, sessions))
    norms = np.sqrt(np.maximum(np.asarray(both.multiply(both).sum(0)).ravel(), 1e-9)).astype(np.float32)
    turned = both.T.tocsr()
    blocks = []
    for begin in range(0, both.shape[1], BLOCK):
        common = (turned[begin : begin + BLOCK] @ both).tocsr()
        owner = np.repeat(np.arange(begin, begin + common.shape[0]), np.diff(common.indptr))
        cosine = common.data / norms[owner] / norms[common.indices]
        common.data = np.where(common.indices == owner, 0.0, cosine * common.data / (common.data + SHRINKAGE))
        blocks.append(best_neighbours(common, NEIGHBOURS))
    return joined(blocks)


def _strongest(units: sparse.csr_matrix) -> sparse.csr_matrix:
    """Without what is past the LONGEST strongest of a row: one machine that asks for everything must not cost a
    square of the catalog."""
    if not (np.diff(units.indptr) > LONGEST).any():
        return units
    owner = np.repeat(np.arange(units.shape[0]), np.diff(units.indptr))
    order = np.lexsort((units.indices, -units.data, owner))
    place = np.arange(len(order)) - units.indptr[owner[order]]
    kept = order[place < LONGEST]
    return sparse.csr_matrix((units.data[kept], (owner[kept], units.indices[kept])), shape=units.shape)
