"""What one search found, for the next one of the same question among fewer rows.

A question asks twice for what is near it: among all that it may answer, then among those that nobody had. What a search
finds is kept at twice the depth, and most often holds the second answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reco_svc.domain.ports import Mask, Rows, Vectors


@dataclass(frozen=True, slots=True)
class DeepSearch:
    """`rows` and `similarities` (depth,), best first, are the nearest to `vector` among `allowed`; `complete`: all."""

    vector: bytes
    allowed: Mask
    rows: Rows
    similarities: Vectors
    complete: bool

    def among(self, vector: bytes, k: int, allowed: Mask) -> tuple[Rows, Vectors] | None:
        """The `k` nearest among fewer rows; None if they can not be told from what was found."""
        if vector != self.vector or len(allowed) != len(self.allowed):
            return None
        kept = np.flatnonzero(allowed[self.rows])[:k]
        if len(kept) < k and not self.complete:
            return None
        if (allowed > self.allowed).any():
            return None
        return self.rows[kept], self.similarities[kept]
