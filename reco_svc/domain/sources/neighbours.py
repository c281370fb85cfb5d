"""Sources that follow a graph of neighbours: `viewed_together` and `bought_together`."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numba import njit

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.scratch import scratch
from reco_svc.domain.snapshot import Graph, Snapshot
from reco_svc.domain.sources.selection import best_allowed
from reco_svc.domain.view import View

MAX_SEEDS = 100


class _GraphSource(ABC):
    name: str
    reason: str

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        if view.snapshot is None:
            return Candidates.none()
        seeds, weights = self._seeds(question)
        weights = weights * view.snapshot.fading.weights(self.name, question, len(seeds))
        rows, scores, evidence = reached(self._graph(view.snapshot), seeds, weights)
        return best_allowed(rows, scores, evidence, k, allowed, view.products)

    @abstractmethod
    def _graph(self, snapshot: Snapshot) -> Graph: ...

    @abstractmethod
    def _seeds(self, question: Question) -> tuple[Rows, Vectors]: ...


class ViewedTogetherSource(_GraphSource):
    """What was looked at soon after the products seen last."""

    name = "viewed_together"
    reason = "viewed_with"

    def _graph(self, snapshot: Snapshot) -> Graph:
        return snapshot.viewed

    def _seeds(self, question: Question) -> tuple[Rows, Vectors]:
        rows, weights = question.focus
        return rows[-MAX_SEEDS:], weights[-MAX_SEEDS:]


class BoughtTogetherSource(_GraphSource):
    """What is bought in one order with the basket and the product on the page; else with what was seen last."""

    name = "bought_together"
    reason = "bought_with"

    def _graph(self, snapshot: Snapshot) -> Graph:
        return snapshot.bought

    def _seeds(self, question: Question) -> tuple[Rows, Vectors]:
        seeds = list(dict.fromkeys(question.basket.tolist() + [question.anchor] * (question.anchor >= 0)))
        if seeds:
            return np.array(seeds[-MAX_SEEDS:], np.int64), np.ones(len(seeds[-MAX_SEEDS:]), np.float32)
        rows, weights = question.focus
        return rows[-MAX_SEEDS:], weights[-MAX_SEEDS:]


def reached(graph: Graph, seeds: Rows, weights: Vectors, power: int = 1) -> tuple[Rows, Vectors, Rows]:
    """Neighbours of the distinct seeds (never a seed), the weighted sum of their scores to a power, and the seed that
    gave most (the one that comes first among equals)."""
    if len(seeds) == 1:
        rows, scores = graph.of(int(seeds[0]))
        return rows.astype(np.int64), scores**power * weights[0], np.full(len(rows), seeds[0], np.int64)
    size = len(graph.ptr) - 1
    known = seeds < size
    seeds, weights = seeds[known], weights[known]
    found: tuple[Rows, Vectors, Rows] = _reached(
        graph.ptr, graph.rows, graph.scores, seeds, weights, power, *scratch.sums(size)
    )
    return found


@njit(cache=True, nogil=True)
def _reached(ptr, neighbours, scores, seeds, weights, power, total, most, giver):  # type: ignore[no-untyped-def]
    size = 0
    for seed in seeds:
        size += ptr[seed + 1] - ptr[seed]
    touched, count = np.empty(size, np.int64), 0
    for at in range(len(seeds)):
        for place in range(ptr[seeds[at]], ptr[seeds[at] + 1]):
            row, gain = neighbours[place], weights[at]
            for _ in range(power):
                gain *= scores[place]
            if gain <= 0:
                continue
            if total[row] == 0:
                touched[count] = row
                count += 1
            total[row] += gain
            if gain > most[row]:
                most[row] = gain
                giver[row] = seeds[at]
    for seed in seeds:
        total[seed] = most[seed] = 0
    rows, found = np.empty(count, np.int64), 0
    sums, givers = np.empty(count, np.float32), np.empty(count, np.int64)
    for place in range(count):
        row = touched[place]
        if total[row] > 0:
            rows[found], sums[found], givers[found] = row, total[row], giver[row]
            found += 1
            total[row] = most[row] = 0
    return rows[:found], sums[:found], givers[:found]
