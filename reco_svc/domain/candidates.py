"""The interface between sources and the pipeline.

Rows are positions in the `ProductTable`: 0 … snapshot.n-1 are the products the snapshot was trained on, in its order;
products that came later follow. A source is a pure function of (view, question): no clock, no randomness, no I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.question import Question

if TYPE_CHECKING:
    from reco_svc.domain.view import View


class Candidates(NamedTuple):
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
