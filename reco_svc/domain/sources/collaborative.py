"""Source `collaborative`: what visitors with such a history also had."""

from __future__ import annotations

import numpy as np
from numba import njit

from reco_svc.domain.candidates import Candidates, Question
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.snapshot import Collaborative
from reco_svc.domain.sources.neighbours import reached
from reco_svc.domain.sources.recent import recent_rows
from reco_svc.domain.sources.selection import best_allowed
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
        rows, weights = recent_rows(question, with_history=True)
        weights = weights * snapshot.fading.weights(self.name, question, len(rows))
        found, scores, evidence = fitting(snapshot.collaborative, rows, weights)
        return best_allowed(found, scores, evidence, k, allowed, view.products)


def fitting(model: Collaborative, rows: Rows, weights: Vectors) -> tuple[Rows, Vectors, Rows]:
    """Rows that fit a history of distinct `rows` with their weights, never one of it; their scores, all positive; and
    for each the row of the history that speaks most for it."""
    if not len(model.weights):
        found: tuple[Rows, Vectors, Rows] = reached(model.neighbours, rows, weights)
        return found
    known = rows < len(model.column)
    columns = model.column[rows[known]]
    columns, weights = columns[columns >= 0], weights[known][columns >= 0]
    if not len(columns):
        none = np.empty(0, np.int64)
        return none, np.empty(0, np.float32), none
    scores, giver = _summed(model.weights, columns, weights)
    fits = np.flatnonzero(scores > 0)
    return model.rows[fits].astype(np.int64), scores[fits], model.rows[columns[giver[fits]]].astype(np.int64)


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
