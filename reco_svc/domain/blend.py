"""One ranked list from the candidates of several sources.

Each source's scores are brought to [0, 1] by its own best score and weighted. Weights are learned for each strategy,
kind of question and context size at training time; without them sources are fused by reciprocal rank (Cormack, Clarke
and Büttcher, SIGIR 2009).

What sources learned is as old as their data; a shop's season moves on. So a blended score is multiplied by how a
product does lately against its own past, to a learned power (0: not at all).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.scratch import scratch
from reco_svc.domain.top_k import in_order

RRF_K = 60.0
# Upper bounds of context sizes (distinct products that a question tells of), the last one open.
CONTEXT_SIZES = (0, 1, 3, 8, 30, 99, 1_000_000)
MOMENTUM = "momentum"  # among the weights of sources: the power of Popularity.momentum


@dataclass(frozen=True, slots=True)
class BlendWeights:
    """Strategy and kind → for each of CONTEXT_SIZES a weight for each source, and the power MOMENTUM.

    `evidence` says how the weights were found, for people.
    """

    by_strategy: Mapping[str, Sequence[Mapping[str, float]]]
    evidence: Mapping[str, float]

    def of(self, strategy: Strategy, question: Question) -> Mapping[str, float] | None:
        """Weights by source for a question; None where nothing was learned."""
        if not self.by_strategy:
            return None
        learned = self.by_strategy.get(strategy + question.kind) or self.by_strategy.get(strategy)
        if not learned:
            return None
        return learned[bucket(question)] or None

    def weighty(self, strategy: Strategy, question: Question, sources: Sequence[str]) -> Sequence[str]:
        """The sources that count for a question; all of them where nothing was learned."""
        learned = self.of(strategy, question) or {}
        return [name for name in sources if learned.get(name, 0.0) > 0] or sources


class Blended(NamedTuple):
    """`rows` and `scores` best first, ties by row; `parts` (sources, rows) is what each source gave to the score, and
    `places` (sources, rows) where the row stands among its candidates, -1 for a source that does not propose it."""

    rows: Rows
    scores: Vectors
    sources: tuple[str, ...]
    parts: npt.NDArray[np.float32]
    places: npt.NDArray[np.int32]


def bucket(question: Question) -> int:
    """Place in CONTEXT_SIZES of the distinct products that a question tells of."""
    return bisect_left(CONTEXT_SIZES, question.size)


def blend(
    proposals: Mapping[str, Candidates],
    strategy: Strategy,
    question: Question,
    weights: BlendWeights | None,
    momentum: Callable[[Rows], Vectors] | None = None,
) -> Blended:
    """Fuses proposals; a source without candidates counts for nothing. `momentum` is Popularity.momentum."""
    sources = tuple(name for name, found in proposals.items() if len(found.rows))
    if not sources:
        nothing = np.empty((0, 0), np.float32)
        return Blended(np.empty(0, np.int64), np.empty(0, np.float32), (), nothing, nothing.astype(np.int32))
    learned = weights.of(strategy, question) if weights else None
    if learned is not None and not any(learned.get(name, 0.0) > 0 for name in sources):
        learned = None
    power = learned.get(MOMENTUM, 0.0) if learned is not None and momentum is not None else 0.0
    if len(sources) == 1 and not power:
        return _alone(sources[0], proposals[sources[0]], learned)
    found = [proposals[name] for name in sources]
    shares = np.array([0.0 if learned is None else learned.get(name, 0.0) for name in sources], np.float32)
    sizes = np.array([len(f.rows) for f in found])
    proposed, scores = np.concatenate([f.rows for f in found]), np.concatenate([f.scores for f in found])
    seen = scratch.places(int(proposed.max()) + 1)
    rows, parts, places = _joined(proposed, scores, sizes, shares, learned is not None, seen)
    if power and momentum is not None:
        parts *= np.exp(np.float32(power) * momentum(rows))
    rows, scores, parts, places = _best_first(rows, parts, places)
    return Blended(rows, scores, sources, parts, places)


@njit(cache=True, nogil=True)
def _joined(rows, scores, sizes, shares, learned, seen):  # type: ignore[no-untyped-def]
    """The different rows, what each source gave to each, and its place there.

    Of the candidates of all sources, one after the other, the first has `sizes[0]`, and so on. A source gives its share
    of a score over its best one, or where nothing was `learned` the reciprocal rank. `seen` are zeros by row: 1 + the
    place of a row.
    """
    distinct = np.empty(len(rows), np.int64)
    parts = np.zeros((len(sizes), len(rows)), np.float32)
    places = np.full((len(sizes), len(rows)), -1, np.int32)
    count, begin = 0, 0
    for source in range(len(sizes)):
        top = scores[begin]
        for at in range(begin, begin + sizes[source]):
            if seen[rows[at]] == 0:
                distinct[count] = rows[at]
                count += 1
                seen[rows[at]] = count
            place = seen[rows[at]] - 1
            if learned:
                parts[source, place] = shares[source] * (scores[at] / top) if top > 0 else np.float32(0.0)
            else:
                parts[source, place] = np.float32(1.0 / (RRF_K + (at - begin + 1)))
            places[source, place] = at - begin
        begin += sizes[source]
    for at in range(count):
        seen[distinct[at]] = 0
    return distinct[:count], parts[:, :count], places[:, :count]


@njit(cache=True, nogil=True)
def _best_first(rows, parts, places):  # type: ignore[no-untyped-def]
    scores = np.zeros(len(rows), np.float32)
    for source in range(len(parts)):
        scores += parts[source]
    order = in_order(scores, rows)
    return rows[order], scores[order], parts[:, order], places[:, order]


def _alone(name: str, found: Candidates, learned: Mapping[str, float] | None) -> Blended:
    """One source needs no fusing: its order is the order."""
    scores = reciprocal_ranks(len(found.rows)) if learned is None else learned[name] * normalised(found.scores)
    scores = scores.astype(np.float32, copy=False)
    return Blended(found.rows, scores, (name,), scores[None], np.arange(len(scores), dtype=np.int32)[None])


@cache
def reciprocal_ranks(n: int) -> Vectors:
    """1 / (60 + rank) for ranks 1 … n; not to be changed."""
    return (1.0 / (RRF_K + np.arange(1, n + 1))).astype(np.float32)


def normalised(scores: Vectors) -> Vectors:
    """Scores (best first, positive) as shares of the best one."""
    top = float(scores[0]) if len(scores) else 0.0
    return (scores / top).astype(np.float32) if top > 0 else np.zeros(len(scores), np.float32)
