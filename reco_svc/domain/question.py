"""A question over the rows of a table, and what it tells of its visitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from reco_svc.domain.model import EventType, Preferences
from reco_svc.domain.ports import Rows, Vectors

MAX_ROWS = 200
NO_ROWS: Rows = np.empty(0, np.int64)
STEP_WEIGHTS = {
    EventType.VIEW_ITEM: 1.0,
    EventType.SELECT_ITEM: 1.0,
    EventType.ADD_TO_CART: 1.5,
    EventType.ADD_TO_WISHLIST: 1.3,
    EventType.PURCHASE: 1.5,
    EventType.REMOVE_FROM_CART: 0.0,
    EventType.REFUND: 0.0,
}


class Kind(StrEnum):
    """What a question tells of its visitor; the value ends the key of the weights for such questions."""

    VISIT = ""  # this visit alone
    KNOWN = ":known"  # this visit, and purchases before it
    RETURN = ":return"  # earlier purchases alone
    LONG = ":long"  # a session too long for a visit, see Fading.kind; it is weighed as one, and has a reach of its own


PAST = (Kind.RETURN, Kind.LONG)  # earlier visits more than this one


@dataclass(frozen=True)
class Question:
    """A RecommendQuery resolved to rows.

    `anchor` is the product on the page (-1: none). `session_rows`, `session_types` and `session_ages_s` are parallel,
    oldest first, repeats kept; unknown products are left out. `history_rows` are older purchases, oldest first.
    `query_vector` is (dim,) or None. `now_s` is Unix time. What several sources read of a question is found out once
    and kept with it: nobody changes these arrays.
    """

    anchor: int
    basket: Rows
    session_rows: Rows
    session_types: Sequence[EventType]
    session_ages_s: Sequence[float]
    history_rows: Rows
    category: str
    query_vector: Vectors | None
    preferences: Preferences | None
    now_s: float

    @cached_property
    def kind(self) -> Kind:
        """What it tells of its visitor.

        A caller that does not know sessions sends all that a visitor ever had as one: what covers most of the history
        and has nothing that is not in it is history.
        """
        if not len(self.history_rows):
            return Kind.VISIT
        now, past = self._now, self._past
        only_past = not now or (len(now) > 2 and 2 * len(now) >= len(past) and now <= past)
        return Kind.RETURN if only_past else Kind.KNOWN

    @cached_property
    def size(self) -> int:
        """Distinct products that it tells of: of this visit, or of earlier ones when it tells of them alone."""
        return max(len(self._now), len(self._past)) if self.kind is Kind.RETURN else len(self._now)

    @cached_property
    def recent(self) -> tuple[Rows, Vectors]:
        """Distinct rows of this visit, the most telling last, and their step weights (> 0).

        Order: session, basket, the product on the page. A product whose last step is a removal or a refund is left out.
        At most MAX_ROWS, the oldest dropped.
        """
        return self._weighted({})

    @cached_property
    def recent_with_history(self) -> tuple[Rows, Vectors]:
        """The same, with the history before."""
        if not len(self.history_rows):
            return self.recent
        return self._weighted(dict.fromkeys(self.history_rows.tolist(), 1.0))

    @property
    def focus(self) -> tuple[Rows, Vectors]:
        """What the visitor is at now; what they bought before only when this visit says nothing yet."""
        return self.recent if len(self.recent[0]) else self.recent_with_history

    @cached_property
    def _now(self) -> set[int]:
        now = {*self.basket.tolist(), *self.session_rows.tolist()}
        if self.anchor >= 0:
            now.add(self.anchor)
        return now

    @cached_property
    def _past(self) -> set[int]:
        return set(self.history_rows.tolist())

    def _weighted(self, weights: dict[int, float]) -> tuple[Rows, Vectors]:
        """What is seen again moves to the end."""
        for row, type_ in zip(self.session_rows.tolist(), self.session_types, strict=True):
            previous = weights.pop(row, 0.0)
            weight = STEP_WEIGHTS.get(type_, 0.0)
            if weight > 0:
                weights[row] = max(previous, weight)
        for row in self.basket.tolist():
            weights[row] = max(weights.pop(row, 0.0), STEP_WEIGHTS[EventType.ADD_TO_CART])
        if self.anchor >= 0:
            weights[self.anchor] = max(weights.pop(self.anchor, 0.0), STEP_WEIGHTS[EventType.VIEW_ITEM])
        rows = list(weights)[-MAX_ROWS:]
        return np.array(rows, np.int64), np.array(list(weights.values())[-MAX_ROWS:], np.float32)
