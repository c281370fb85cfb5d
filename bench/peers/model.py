"""The interface of peers, and what several of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from scipy import sparse

from bench.peers.material import Material
from reco_svc.domain.ports import Rows, Vectors

Choice: TypeAlias = Mapping[str, float | str]
Grid: TypeAlias = Mapping[str, Sequence[float | str]]
FOREVER = 1e6  # days


class Fitted(Protocol):
    """A trained peer."""

    def scores(self, histories: Sequence[Rows], choice: Choice) -> Vectors:
        """(questions, n); greater is better. `choice` holds what needs no new training."""
        ...


class Peer(Protocol):
    """An algorithm with the values that tuning tries, the first of each as a start.

    `training` choices need a new fit, `asking` choices do not.
    """

    name: str
    training: Grid
    asking: Grid

    def fit(self, material: Material, choice: Choice) -> Fitted:
        """Trains."""
        ...


DECAYS: Sequence[float | str] = ("root", "none", "inverse", "fourth root")
HALF_LIVES: Sequence[float | str] = (180.0, 60.0, 90.0, FOREVER)
POPULAR_SHARES: Sequence[float | str] = (0.0, 0.02, 0.05, 0.1, 0.2)
_POWERS = {"none": 0.0, "fourth root": 0.25, "root": 0.5, "inverse": 1.0}


def weighted(histories: Sequence[Rows], n: int, decay: str) -> sparse.csr_matrix:
    """Questions × rows: the newest of a history weighs 1, older ones less by distance to the power of the decay."""
    lengths = [len(rows) for rows in histories]
    weights = [np.arange(length, 0, -1, dtype=np.float32) ** -_POWERS[decay] for length in lengths]
    ptr = np.concatenate([[0], np.cumsum(lengths)])
    data = np.concatenate(weights) if weights else np.empty(0, np.float32)
    rows = np.concatenate(histories) if weights else np.empty(0, np.int64)
    return sparse.csr_matrix((data, rows, ptr), shape=(len(histories), n))


def popular(material: Material, half_life_days: float) -> Vectors:
    """(n,) events that count half for every half-life of age, the greatest 1."""
    found = np.bincount(material.events.row, 0.5 ** (material.age_days / half_life_days), minlength=material.n)
    return (found / max(found.max(initial=0.0), 1e-9)).astype(np.float32)


def with_popular(scores: Vectors, popularity: Vectors, share: float) -> Vectors:
    """Scores, each question's best as 1, plus a share of popularity; popularity breaks what is left at 0."""
    top = np.maximum(scores.max(1, keepdims=True), 1e-9)
    mixed: Vectors = np.maximum(scores, 0.0) / top + (float(share) + 1e-4) * popularity[None, :]
    return mixed
