"""What the visitor wants now: the products of a question as weighted rows."""

from __future__ import annotations

import numpy as np

from reco_svc.domain.candidates import Question
from reco_svc.domain.model import EventType
from reco_svc.domain.ports import Rows, Vectors

MAX_ROWS = 200
STEP_WEIGHTS = {
    EventType.VIEW_ITEM: 1.0,
    EventType.SELECT_ITEM: 1.0,
    EventType.ADD_TO_CART: 1.5,
    EventType.ADD_TO_WISHLIST: 1.3,
    EventType.PURCHASE: 1.5,
    EventType.REMOVE_FROM_CART: 0.0,
    EventType.REFUND: 0.0,
}


def recent_rows(question: Question, *, with_history: bool = False) -> tuple[Rows, Vectors]:
    """Distinct rows, the most telling last, and their step weights (> 0).

    Order: history (if asked for), session, basket, the product on the page. A product whose last step is a removal or a
    refund is left out. At most MAX_ROWS, the oldest dropped.
    """
    weights: dict[int, float] = {}
    if with_history:
        weights.update(dict.fromkeys(question.history_rows.tolist(), 1.0))
    for row, type_ in zip(question.session_rows.tolist(), question.session_types, strict=True):
        previous = weights.pop(row, 0.0)
        weight = STEP_WEIGHTS.get(type_, 0.0)
        if weight > 0:
            weights[row] = max(previous, weight)
    for row in question.basket.tolist():
        weights[row] = max(weights.pop(row, 0.0), STEP_WEIGHTS[EventType.ADD_TO_CART])
    if question.anchor >= 0:
        weights[question.anchor] = max(weights.pop(question.anchor, 0.0), STEP_WEIGHTS[EventType.VIEW_ITEM])
    rows = list(weights)[-MAX_ROWS:]
    return np.array(rows, np.int64), np.array([weights[r] for r in rows], np.float32)


def focus(question: Question) -> tuple[Rows, Vectors]:
    """What the visitor is at now; what they bought before only when this session says nothing yet."""
    rows, weights = recent_rows(question)
    return (rows, weights) if len(rows) else recent_rows(question, with_history=True)


def inverse_decay(n: int, floor: float = 0.0) -> Vectors:
    """1/n … 1/2, 1 by distance from the newest, never below `floor`."""
    return np.maximum(1.0 / np.arange(n, 0, -1), floor).astype(np.float32)
