"""Choosing the values of a peer on the validation cut, one at a time, until nothing gets better."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.peers.material import Asked, Material
from bench.peers.model import Choice, Fitted, Peer
from reco_svc.domain.evaluation.baselines import ranked
from reco_svc.domain.learning.metrics import per_question
from reco_svc.domain.ports import Rows

LENGTH = 20
BATCH = 200
ROUNDS = 2


@dataclass(frozen=True)
class Tuned:
    """The values chosen, their quality on the validation cut and how many were tried."""

    choice: Choice
    quality: float
    tried: int


def tune(peer: Peer, material: Material, asked: Asked, told: Callable[[str], None]) -> Tuned:
    """Coordinate search from the first value of each; training values in the outer loop, as they cost a fit."""
    best = {name: values[0] for name, values in {**peer.training, **peer.asking}.items()}
    model = peer.fit(material, best)
    best, most, tried = _tune_asking(peer, model, material, asked, best)
    for _ in range(ROUNDS):
        before = most
        for name, value in _others(peer, best):
            trial = {**best, name: value}
            model = peer.fit(material, trial)
            trial, quality, count = _tune_asking(peer, model, material, asked, trial)
            tried += count
            if quality > most:
                best, most = trial, quality
            told(f"{peer.name}: {name} {value}: {quality:.4f} (best {most:.4f})")
        if most <= before * 1.002:
            break
    return Tuned(best, most, tried)


def answer(model: Fitted, choice: Choice, material: Material, asked: Asked) -> list[Rows]:
    """The best LENGTH rows for each question."""
    lists: list[Rows] = []
    for begin in range(0, len(asked.histories), BATCH):
        scores = model.scores(asked.histories[begin : begin + BATCH], choice)
        for score, excluded in zip(scores, asked.excluded[begin : begin + BATCH], strict=True):
            lists.append(ranked(score, excluded.tolist(), material.allowed, LENGTH))
    return lists


def _others(peer: Peer, best: Choice) -> Iterator[tuple[str, float | str]]:
    for name, values in peer.training.items():
        for value in values:
            if value != best[name]:
                yield name, value


def _tune_asking(
    peer: Peer, model: Fitted, material: Material, asked: Asked, choice: Choice
) -> tuple[dict[str, float | str], float, int]:
    best, tried = dict(choice), 1
    most = _quality(model, best, material, asked)
    for name, values in peer.asking.items():
        for value in values:
            if value == best[name]:
                continue
            tried += 1
            quality = _quality(model, {**best, name: value}, material, asked)
            if quality > most:
                best, most = {**best, name: value}, quality
    return best, most, tried


def _quality(model: Fitted, choice: Choice, material: Material, asked: Asked) -> float:
    """Mean of recall@20 and NDCG@10 and @20, as training of the mesh measures itself."""
    lists = [rows.tolist() for rows in answer(model, choice, material, asked)]
    values = per_question(lists, asked.relevant)
    return float(np.mean([values[metric].mean() for metric in ("recall@20", "ndcg@10", "ndcg@20")]))
