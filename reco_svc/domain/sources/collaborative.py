"""Source `collaborative`: what visitors with such a history also had."""

from __future__ import annotations

import numpy as np
from numba import njit

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.snapshot import Collaborative
from reco_svc.domain.sources.neighbours import reached
from reco_svc.domain.sources.selection import best_allowed
from reco_svc.domain.top_k import top_places
from reco_svc.domain.view import View


class CollaborativeSource:
    """History times item-item weights (EASE or shrunk cosine, see learning/collaborative.py)."""

    name = "collaborative"
    reason = "fits_history"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        snapshot = view.snapshot
        if snapshot is None or not len(snapshot.collaborative.rows):
            return Candidates.none()
        rows, weights = question.recent_with_history
        weights = weights * snapshot.fading.weights(self.name, question, len(rows))
        model, products = snapshot.collaborative, view.products
        if not len(model.weights):
            return best_allowed(*reached(model.neighbours, rows, weights), k, allowed, products)
        found = _best_fitting(model.weights, model.rows, model.column, rows, weights, k, allowed, products.id_rank)
        return Candidates(*found)


def fitting(model: Collaborative, rows: Rows, weights: Vectors) -> tuple[Rows, Vectors, Rows]:
    """Rows that fit a history of distinct `rows` with their weights, never one of it; their scores, all positive; and
    for each the row of the history that speaks most for it."""
    if not len(model.weights):
        found: tuple[Rows, Vectors, Rows] = reached(model.neighbours, rows, weights)
        return found
    rows, columns, weights = _with_column(model.column, rows, weights)
    if not len(columns):
        none = np.empty(0, np.int64)
        return none, np.empty(0, np.float32), none
    scores, giver = _summed(model.weights, columns, weights)
    fits = np.flatnonzero(scores > 0)
    return model.rows[fits].astype(np.int64), scores[fits], rows[giver[fits]]


@njit(cache=True, nogil=True)
def _with_column(column, rows, weights):  # type: ignore[no-untyped-def]
    """Those of the rows that have a column, it, and their weights."""
    known, count = np.empty(len(rows), np.int64), 0
    for at in range(len(rows)):
        if rows[at] < len(column) and column[rows[at]] >= 0:
            known[count] = at
            count += 1
    rows = rows[known[:count]]
    return rows, column[rows], weights[known[:count]]


@njit(cache=True, nogil=True)
def _best_fitting(matrix, rows_of, column, rows, weights, k, allowed, id_rank):  # type: ignore[no-untyped-def]
    """The k best allowed rows that fit, as Candidates. `column` maps rows to columns, `rows_of` columns to rows."""
    rows, columns, weights = _with_column(column, rows, weights)
    total, giver = _summed(matrix, columns, weights)
    fits, count = np.empty(len(total) + 1, np.int64), 0
    for at in range(len(total)):  # without a branch: which of them fit can not be guessed
        row = rows_of[at]
        fits[count] = at
        count += total[at] > 0 and row < len(allowed) and allowed[row]
    fits = fits[:count]
    if count == 0:
        return np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64)
    found = np.empty(count, np.int64)
    for at in range(count):
        found[at] = rows_of[fits[at]]
    order = top_places(total[fits], found, k, id_rank)
    return found[order], total[fits[order]], rows[giver[fits[order]]]


@njit(cache=True, nogil=True)
def _summed(matrix, columns, weights):  # type: ignore[no-untyped-def]
    """For each column the weighted sum of the rows `columns`, 0 for these themselves, and which of them gave most.

    No branch in the inner loop, and all of it in four bytes: so it is done for eight columns at once.
    """
    size = matrix.shape[1]
    total, most, giver = np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.int32)
    for at in range(len(columns)):
        row, weight, mine = matrix[columns[at]], weights[at], np.int32(at)
        for column in range(size):
            gain = row[column] * weight
            total[column] += gain
            more = gain > most[column]
            most[column] = gain if more else most[column]
            giver[column] = mine if more else giver[column]
    for row_of_one in columns:
        total[row_of_one] = 0.0
    return total, giver
