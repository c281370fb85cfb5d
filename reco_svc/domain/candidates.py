"""The interface between sources and the pipeline.

Rows are positions in the `ProductTable`: 0 … snapshot.n-1 are the products the snapshot was trained on, in its order;
products that came later follow. A source is a pure function of (view, question): no clock, no randomness, no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from reco_svc.domain.model import EventType, Preferences
from reco_svc.domain.ports import Mask, Rows, Vectors

if TYPE_CHECKING:
    from reco_svc.domain.view import View


@dataclass(frozen=True, slots=True)
class Question:
    """A RecommendQuery resolved to rows.

    `anchor` is the product on the page (-1: none). `session_rows`, `session_types` and `session_ages_s` are parallel,
    oldest first, repeats kept; unknown products are left out. `history_rows` are older purchases, oldest first.
    `query_vector` is (dim,) or None. `now_s` is Unix time.
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


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a source proposes, best first; ties by product id.

    `rows`, `scores` and `evidence` are parallel. Scores are the source's own, greater is better, finite, positive.
    `evidence` is the row that explains a candidate best ("because you viewed …"), -1 where there is none.
    """

    rows: Rows
    scores: Vectors
    evidence: Rows

    @classmethod
    def none(cls) -> Candidates:
        """A source that has nothing to say."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64))


class Source(Protocol):
    """One idea of what to recommend. `reason` is the word of its reasons ("similar_to")."""

    name: str
    reason: str

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """Up to `k` candidates among the rows where `allowed` (len(view.products)) is true."""
        ...
