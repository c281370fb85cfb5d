"""Peers with latent factors, from the library `implicit` (extra "bench"). A history is folded in when it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from bench.peers.material import Material
from bench.peers.model import (
    DECAYS,
    FOREVER,
    HALF_LIVES,
    POPULAR_SHARES,
    Choice,
    Fitted,
    Grid,
    popular,
    weighted,
    with_popular,
)
from reco_svc.domain.ports import Rows, Vectors

SEED = 7


@dataclass(frozen=True)
class _AlsFitted:
    items: Vectors
    regularisation: float
    alpha: float
    recent: Vectors

    def scores(self, histories: Sequence[Rows], choice: Choice) -> Vectors:
        """Solves for the factors of each history as a training step does (Hu, Koren and Volinsky 2008)."""
        gram = self.items.T @ self.items + self.regularisation * np.eye(self.items.shape[1], dtype=np.float32)
        weights = weighted(histories, len(self.items), str(choice["decay"])) * self.alpha
        users = np.empty((len(histories), self.items.shape[1]), np.float32)
        for at in range(len(histories)):
            begin, end = weights.indptr[at], weights.indptr[at + 1]
            had, confidence = self.items[weights.indices[begin:end]], weights.data[begin:end]
            users[at] = np.linalg.solve(gram + (had.T * confidence) @ had, (1.0 + confidence) @ had)
        return with_popular(users @ self.items.T, self.recent, float(choice["popular"]))


class Als:
    """implicit.als.AlternatingLeastSquares."""

    name = "implicit ALS"
    training: ClassVar[Grid] = {
        "unit": ("visitor", "session"),
        "half_life": HALF_LIVES,
        "factors": (96, 48, 192),
        "alpha": (10.0, 3.0, 30.0),
        "regularisation": (10.0, 1.0, 50.0),
    }
    asking: ClassVar[Grid] = {"decay": DECAYS, "popular": POPULAR_SHARES}

    def fit(self, material: Material, choice: Choice) -> Fitted:
        """See Peer."""
        from implicit.cpu.als import AlternatingLeastSquares

        alpha, regularisation = float(choice["alpha"]), float(choice["regularisation"])
        with threadpool_limits(1, "blas"):  # the library has threads of its own
            model = AlternatingLeastSquares(
                factors=int(choice["factors"]),
                regularization=regularisation,
                alpha=alpha,
                iterations=12,
                random_state=SEED,
            )
            model.fit(material.had(str(choice["unit"]), float(choice["half_life"])), show_progress=False)
        return _AlsFitted(np.asarray(model.item_factors), regularisation, alpha, popular(material, 7.0))


@dataclass(frozen=True)
class _BprFitted:
    items: Vectors
    recent: Vectors

    def scores(self, histories: Sequence[Rows], choice: Choice) -> Vectors:
        """A history stands where its products stand on average; the last factor of an item is its bias."""
        weights = weighted(histories, len(self.items), str(choice["decay"]))
        total = np.maximum(np.asarray(weights.sum(1)), 1e-6)
        vectors = self.items[:, :-1] / np.maximum(np.linalg.norm(self.items[:, :-1], axis=1, keepdims=True), 1e-6)
        near = (weights @ vectors / total) @ vectors.T
        bias = self.items[:, -1] - self.items[:, -1].mean()
        return with_popular(near + float(choice["bias"]) * bias[None, :], self.recent, float(choice["popular"]))


class Bpr:
    """implicit.bpr.BayesianPersonalizedRanking (Rendle et al. 2009)."""

    name = "implicit BPR"
    training: ClassVar[Grid] = {
        "unit": ("session", "visitor"),
        "half_life": (FOREVER,),
        "factors": (96, 48, 192),
        "learning_rate": (0.05, 0.02, 0.1),
        "regularisation": (0.01, 0.001, 0.03),
    }
    asking: ClassVar[Grid] = {"decay": DECAYS, "popular": POPULAR_SHARES, "bias": (0.0, 0.03, 0.1, 0.3)}

    def fit(self, material: Material, choice: Choice) -> Fitted:
        """See Peer."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        model = BayesianPersonalizedRanking(
            factors=int(choice["factors"]),
            learning_rate=float(choice["learning_rate"]),
            regularization=float(choice["regularisation"]),
            iterations=100,
            random_state=SEED,
            num_threads=1,
        )
        model.fit(material.had(str(choice["unit"]), float(choice["half_life"])), show_progress=False)
        return _BprFitted(np.asarray(model.item_factors), popular(material, 7.0))
