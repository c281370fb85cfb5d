"""Peers that say with one matrix how much having one product speaks for another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import linalg, sparse

from bench.peers.material import Material
from bench.peers.model import DECAYS, HALF_LIVES, POPULAR_SHARES, Choice, Fitted, Grid, popular, weighted, with_popular
from reco_svc.domain.ports import Rows, Vectors

WINDOW = 20


@dataclass(frozen=True)
class ItemItem:
    """Scores are the weighted history times `weights` (n, n)."""

    weights: Vectors
    recent: Vectors

    def scores(self, histories: Sequence[Rows], choice: Choice) -> Vectors:
        """See Fitted."""
        found = weighted(histories, len(self.weights), str(choice["decay"])) @ self.weights
        return with_popular(found, self.recent, float(choice["popular"]))


@dataclass(frozen=True)
class _Always:
    score: Vectors

    def scores(self, histories: Sequence[Rows], choice: Choice) -> Vectors:
        return np.tile(self.score, (len(histories), 1))


class Popularity:
    """Most wanted lately."""

    name = "popularity"
    training: ClassVar[Grid] = {"half_life": (7.0, 3.0, 14.0, 30.0)}
    asking: ClassVar[Grid] = {}

    def fit(self, material: Material, choice: Choice) -> Fitted:
        """See Peer."""
        return _Always(popular(material, float(choice["half_life"])))


class _ItemItemPeer:
    asking: ClassVar[Grid] = {"decay": DECAYS, "popular": POPULAR_SHARES}

    def fit(self, material: Material, choice: Choice) -> Fitted:
        """See Peer."""
        return ItemItem(self.weights(material, choice).astype(np.float32), popular(material, 7.0))

    def weights(self, material: Material, choice: Choice) -> Vectors:
        raise NotImplementedError


class ItemKnn(_ItemItemPeer):
    """Shrunk cosine (Sarwar et al. 2001), neighbours' columns damped by popularity (Deshpande and Karypis 2004)."""

    name = "item-kNN"
    training: ClassVar[Grid] = {
        "unit": ("session", "visitor"),
        "half_life": HALF_LIVES,
        "damping": (0.5, 0.0, 0.25),
        "shrinkage": (10.0, 1.0, 50.0),
        "neighbours": (1_000, 100_000, 100),
    }

    def weights(self, material: Material, choice: Choice) -> Vectors:
        """(n, n)."""
        had = material.had(str(choice["unit"]), float(choice["half_life"]))
        gram = (had.T @ had).toarray()
        root = np.sqrt(np.maximum(np.diag(gram), 1e-6))
        cosine = gram / root[:, None] / root[None, :] * gram / (gram + float(choice["shrinkage"]))
        np.fill_diagonal(cosine, 0.0)
        return _damped(_nearest(cosine, int(choice["neighbours"])), float(choice["damping"]))


class Ease(_ItemItemPeer):
    """EASE (Steck 2019): the closed form of a linear autoencoder."""

    name = "EASE"
    training: ClassVar[Grid] = {
        "unit": ("visitor", "session"),
        "half_life": HALF_LIVES,
        "regularisation": (300.0, 100.0, 1_000.0, 30.0),
    }

    def weights(self, material: Material, choice: Choice) -> Vectors:
        """(n, n)."""
        had = material.had(str(choice["unit"]), float(choice["half_life"]))
        gram = (had.T @ had).toarray().astype(np.float64)
        gram[np.diag_indices(material.n)] += float(choice["regularisation"])
        inverse = linalg.inv(gram, overwrite_a=True, check_finite=False)
        weights: Vectors = -inverse / np.diag(inverse)[None, :]
        np.fill_diagonal(weights, 0.0)
        return weights


class Npmi(_ItemItemPeer):
    """Normalised pointwise mutual information of co-purchase (Bouma 2009), by the root of the support."""

    name = "NPMI co-purchase"
    training: ClassVar[Grid] = {
        "half_life": HALF_LIVES,
        "support": (0.5, 0.25, 1.0),
        "neighbours": (1_000, 100_000, 100),
    }

    def weights(self, material: Material, choice: Choice) -> Vectors:
        """(n, n)."""
        had = material.had("session", float(choice["half_life"]))
        total = float(had.max(1).sum())
        together = (had.T @ had).toarray() / total
        alone = np.maximum(np.asarray(had.power(2).sum(0)).ravel() / total, 1e-12)
        with np.errstate(divide="ignore", invalid="ignore"):
            npmi = np.log(together / alone[:, None] / alone[None, :]) / -np.log(together)
        npmi = np.where(together > 0, np.maximum(npmi, 0.0), 0.0) * (together * total) ** float(choice["support"])
        np.fill_diagonal(npmi, 0.0)
        return _nearest(npmi, int(choice["neighbours"]))


class Transitions(_ItemItemPeer):
    """Sequence-aware transitions: what came soon after, nearer steps weighing more, backwards at a share."""

    name = "item transitions"
    training: ClassVar[Grid] = {
        "unit": ("session", "visitor"),
        "half_life": HALF_LIVES,
        "backward": (0.5, 0.2, 1.0),
        "damping": (0.5, 0.25, 0.0),
    }

    def weights(self, material: Material, choice: Choice) -> Vectors:
        """(n, n)."""
        events = material.events
        unit = getattr(events, str(choice["unit"]))
        order = np.lexsort((np.arange(len(unit)), unit))
        unit, row = unit[order], events.row[order]
        weight = (0.5 ** (material.age_days / float(choice["half_life"])))[order].astype(np.float32)
        total = sparse.csr_matrix((material.n, material.n), dtype=np.float32)
        for step in range(1, WINDOW + 1):
            pair = (unit[step:] == unit[:-step]) & (row[step:] != row[:-step])
            steps = (weight[step:][pair] / step, (row[:-step][pair], row[step:][pair]))
            total = total + sparse.csr_matrix(steps, shape=total.shape)
        both = (total + float(choice["backward"]) * total.T).toarray()
        rows = np.maximum(both.sum(1, keepdims=True), 1.0) ** 0.5
        return _damped(both / rows, float(choice["damping"]))


def _nearest(weights: Vectors, neighbours: int) -> Vectors:
    """The greatest `neighbours` of each row; the rest becomes 0."""
    n = len(weights)
    if neighbours < n:
        least = np.partition(weights, n - neighbours, axis=1)[:, n - neighbours]
        weights = np.where(weights >= least[:, None], weights, 0.0)
    return weights


def _damped(weights: Vectors, power: float) -> Vectors:
    damped: Vectors = weights / np.maximum(weights.sum(0, keepdims=True), 1e-6) ** power
    return damped
