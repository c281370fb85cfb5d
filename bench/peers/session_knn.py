"""V-SKNN: what the nearest sessions had (Ludewig and Jannach 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from bench.peers.material import Material
from bench.peers.model import HALF_LIVES, POPULAR_SHARES, Choice, Fitted, Grid, popular, weighted, with_popular
from reco_svc.domain.ports import Rows, Vectors


@dataclass(frozen=True)
class _SessionsFitted:
    sessions: sparse.csr_matrix
    lengths: Vectors
    weight: Vectors
    idf: Vectors
    recent: Vectors

    def scores(self, histories: Sequence[Rows], choice: Choice) -> Vectors:
        """Similarity of position-weighted, idf-weighted histories to sessions; the `neighbours` nearest vote."""
        asked = weighted(histories, self.sessions.shape[1], str(choice["decay"])) @ sparse.diags(self.idf)
        near = (asked @ self.sessions.T).toarray() / self.lengths ** float(choice["length"]) * self.weight
        neighbours = min(int(choice["neighbours"]), near.shape[1])
        least = np.partition(near, near.shape[1] - neighbours, axis=1)[:, near.shape[1] - neighbours]
        top = np.maximum(near.max(1, keepdims=True), 1e-9)
        voting = np.where((near >= least[:, None]) & (near > 0), near / top, 0.0) ** float(choice["power"])
        votes = sparse.csr_matrix(voting.astype(np.float32)) @ self.sessions
        found = votes.toarray() * (1.0 + float(choice["idf"]) * self.idf[None, :])
        return with_popular(found, self.recent, float(choice["popular"]))


class Vsknn:
    """All sessions are looked at, as the published "sample" is only for speed."""

    name = "V-SKNN"
    training: ClassVar[Grid] = {"half_life": HALF_LIVES}
    asking: ClassVar[Grid] = {
        "decay": ("root", "inverse", "none", "fourth root"),
        "neighbours": (500, 100, 200, 1_000),
        "length": (0.5, 0.25, 0.75),
        "power": (1.0, 1.5, 2.0),
        "idf": (1.0, 0.0, 0.3),
        "popular": POPULAR_SHARES,
    }

    def fit(self, material: Material, choice: Choice) -> Fitted:
        """See Peer."""
        aged = material.had("session", float(choice["half_life"]))
        weight = aged.max(1).toarray().ravel()
        sessions = sparse.csr_matrix((np.ones_like(aged.data), aged.indices, aged.indptr), shape=aged.shape)
        lengths = np.maximum(np.diff(sessions.indptr), 1).astype(np.float32)
        held = np.maximum(np.asarray(sessions.sum(0)).ravel(), 1.0)
        idf = np.log(sessions.shape[0] / held).astype(np.float32)
        return _SessionsFitted(sessions, lengths, weight, idf, popular(material, 7.0))
