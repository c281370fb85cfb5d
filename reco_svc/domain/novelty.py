"""Lists of what shoppers would not meet anyway: relevance against self-information (Vargas and Castells 2011)."""

from __future__ import annotations

import numpy as np

from reco_svc.domain.ports import Vectors

LEAST = np.float32(1e-3)  # of the rarity of anything, so that even the bestseller keeps a score


def toward_rare(scores: Vectors, rarity: Vectors, novelty: float) -> Vectors:
    """score^(1 - novelty) · rarity^novelty: 0 leaves the order alone, 1 puts the rarest first.

    `scores` (n,) none negative, scaled here by their best; 0 stays 0. `rarity` (n,) in 0 … 1. Among fixed candidates
    the mean log of the rarity of the best k never falls as novelty rises.
    """
    top = float(scores.max(initial=0.0))
    if novelty <= 0 or top <= 0:
        return scores
    mixed = (scores / top) ** (1.0 - novelty) * np.maximum(rarity, LEAST) ** novelty
    found: Vectors = np.where(scores > 0, mixed, 0.0).astype(np.float32)
    return found
