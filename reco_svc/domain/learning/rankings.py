"""Questions with their candidates in arrays, and how well a blend ranks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import optimize

from reco_svc.domain.blend import normalised
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.ports import Mask, Rows, Vectors

DEPTH = 20
LOGIT_QUESTIONS = 500
LOGIT_STEPS = 40
DECAY = 1e-3  # of the squares of the logit's weights


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights of the sources, the power of momentum, and the quality they reach where they were learned."""

    weights: Vectors
    power: float
    quality: float


@dataclass(frozen=True, slots=True)
class Rankings:
    """The candidates of question q are those from ptr[q] to ptr[q + 1].

    `scores` (candidates, sources) are 0 where a source does not propose; `momentum` and `relevant` (candidates,);
    `total` (questions,) counts the relevant rows of each, candidates or not.
    """

    ptr: Rows
    scores: Vectors
    momentum: Vectors
    relevant: Mask
    total: Rows

    def take(self, keep: Mask) -> Rankings:
        """Only some questions."""
        sizes = np.diff(self.ptr)
        inside = np.repeat(keep, sizes)
        ptr = np.concatenate([[0], np.cumsum(sizes[keep])]).astype(np.int64)
        return Rankings(ptr, self.scores[inside], self.momentum[inside], self.relevant[inside], self.total[keep])

    def quality(self, weights: Vectors, power: float) -> float:
        """Mean of NDCG@10, NDCG@20 and Recall@20."""
        if not len(self.total):
            return 0.0
        lift = np.exp(np.float32(power) * self.momentum) if power else np.ones(1, np.float32)
        used = np.flatnonzero(weights)
        return float(_quality(self.ptr, self.scores, used, weights.astype(np.float32), lift, self.relevant, self.total))

    def logit(self, power: float) -> Vectors:
        """Weights, none negative, the greatest 1, under which the relevant candidates are likeliest. (sources,)

        From an evenly spread sample of at most LOGIT_QUESTIONS questions.
        """
        count, sizes = self.scores.shape[1], np.diff(self.ptr)
        hits = np.add.reduceat(np.append(self.relevant, False).astype(np.int64), self.ptr[:-1]) * (sizes > 0)
        useful = np.flatnonzero(hits)
        chosen = np.zeros(len(self.total), np.bool_)
        chosen[useful[:: max(1, len(useful) // LOGIT_QUESTIONS)]] = True
        if not chosen.any():
            return np.ones(count, np.float32)
        some = self.take(chosen)
        features = some.scores * np.exp(np.float32(power) * some.momentum)[:, None]
        share = some.relevant / np.repeat(hits[chosen], np.diff(some.ptr))

        def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            value, slope = _unlikelihood(some.ptr, features, share, weights)
            return value + DECAY * float(weights @ weights), slope + 2 * DECAY * weights

        bounds, options = [(0.0, None)] * count, {"maxiter": LOGIT_STEPS}
        found = optimize.minimize(loss, np.ones(count), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        weights: Vectors = found.x.astype(np.float32)
        return weights / weights.max() if weights.max() > 0 else np.ones(count, np.float32)


def rankings_of(
    answers: Sequence[KnownAnswer],
    proposals: Sequence[Mapping[str, Candidates]],
    sources: Sequence[str],
    momentum: Callable[[Rows], Vectors],
) -> Rankings:
    """The union of what the sources propose for each question, in order of rows."""
    unions = [np.unique(np.concatenate([p[s].rows for s in sources])) for p in proposals]
    ptr = np.concatenate([[0], np.cumsum([len(rows) for rows in unions])]).astype(np.int64)
    scores = np.zeros((int(ptr[-1]), len(sources)), np.float32)
    relevant = np.zeros(int(ptr[-1]), np.bool_)
    for begin, answer, proposed, rows in zip(ptr.tolist(), answers, proposals, unions, strict=False):
        relevant[begin : begin + len(rows)] = np.isin(rows, answer.relevant)
        for place, source in enumerate(sources):
            found = proposed[source]
            scores[begin + np.searchsorted(rows, found.rows), place] = normalised(found.scores)
    moved = momentum(np.concatenate(unions)) if unions else np.empty(0, np.float32)
    return Rankings(ptr, scores, moved, relevant, np.array([len(a.relevant) for a in answers], np.int64))


@njit(cache=True, nogil=True)
def _unlikelihood(ptr, features, share, weights):  # type: ignore[no-untyped-def]
    """Mean over questions of -Σ share · log softmax(features · weights), and its slope (sources,)."""
    questions, sources = len(ptr) - 1, features.shape[1]
    raw = np.empty(len(features))
    value, slope = 0.0, np.zeros(sources)
    for question in range(questions):
        begin, end = ptr[question], ptr[question + 1]
        most = -np.inf
        for at in range(begin, end):
            raw[at] = 0.0
            for source in range(sources):
                raw[at] += features[at, source] * weights[source]
            most = max(most, raw[at])
        total = 0.0
        for at in range(begin, end):
            total += np.exp(raw[at] - most)
        rest = most + np.log(total)
        for at in range(begin, end):
            value -= share[at] * (raw[at] - rest)
            pull = np.exp(raw[at] - rest) - share[at]
            for source in range(sources):
                slope[source] += pull * features[at, source]
    return value / questions, slope / questions


@njit(cache=True, nogil=True)
def _quality(ptr, scores, used, weights, lift, relevant, total):  # type: ignore[no-untyped-def]
    """Mean over questions; candidates with a score of 0 are not ranked, equals keep their order.

    `used` are the sources of weight; `lift` has one factor for each candidate, or one for all.
    """
    gains = 1.0 / np.log2(np.arange(2, DEPTH + 2))
    ideal = np.cumsum(gains)
    top = np.empty(DEPTH, np.float32)
    hit = np.empty(DEPTH, np.bool_)
    summed = 0.0
    for question in range(len(total)):
        count = 0
        for at in range(ptr[question], ptr[question + 1]):
            score = np.float32(0.0)
            for source in used:
                score += weights[source] * scores[at, source]
            if len(lift) > 1:
                score *= lift[at]
            if score <= 0.0 or (count == DEPTH and score <= top[DEPTH - 1]):
                continue
            place = min(count, DEPTH - 1)
            while place > 0 and top[place - 1] < score:
                top[place] = top[place - 1]
                hit[place] = hit[place - 1]
                place -= 1
            top[place] = score
            hit[place] = relevant[at]
            count = min(count + 1, DEPTH)
        ten, twenty, hits = 0.0, 0.0, 0
        for place in range(count):
            if hit[place]:
                hits += 1
                twenty += gains[place]
                if place < 10:
                    ten += gains[place]
        wanted = total[question]
        summed += ten / ideal[min(wanted, 10) - 1] + twenty / ideal[min(wanted, DEPTH) - 1] + hits / wanted
    return summed / (3.0 * len(total))
