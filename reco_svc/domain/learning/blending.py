"""Learning blend weights from questions with known answers.

First a conditional logit (McFadden 1974; the listwise loss of ListNet, Cao et al. 2007) of the right rows among the
candidates: convex, and thus the same whatever the start. Then, from the logit or from the best source alone, coordinate
ascent on ranking quality itself (Metzler and Croft 2007), which moves a weight only for a clear gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from reco_svc.domain.blend import CONTEXT_SIZES, MOMENTUM, BlendWeights, bucket
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.learning.rankings import Fit, Rankings, rankings_of
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.question import Kind

LEAST_QUESTIONS = 30  # fewer in all: no weights, sources are fused by rank
LEAST_IN_BUCKET = 80  # fewer of a kind and size: they take the weights of their kind, or of all
LEAST_IN_SLICE = 40  # fewer can not tell that a blend loses to a source
LOSS = 0.01  # what a blend may lose to its best source on a slice
STEPS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
LOGIT_POWERS = (0.0, 0.5)
ROUNDS = 2
GAIN = 0.003  # a weight moves only for this gain, so that noise does not switch sources on


def learn_weights(
    answers: Sequence[KnownAnswer],
    proposals: Sequence[Mapping[str, Candidates]],
    sources: Sequence[str],
    momentum: Callable[[Rows], Vectors],
) -> BlendWeights:
    """Weights of the strategy `auto` for each kind of question and context size; empty for too few questions.

    The evidence has the quality of all questions, of each source alone, and for each slice of at least LEAST_IN_SLICE
    questions that of the blend and of its best source.
    """
    if len(answers) < LEAST_QUESTIONS:
        return BlendWeights({}, {"questions": float(len(answers))})
    rankings = rankings_of(answers, proposals, sources, momentum)
    kinds = np.array([a.question.kind.value for a in answers])
    buckets = np.array([bucket(a.question) for a in answers])
    everywhere = _fit(rankings, None)
    evidence = {"questions": float(len(answers)), "quality": everywhere.quality}
    for at, source in enumerate(sources):
        evidence[f"alone_{source}"] = rankings.quality(_alone(at, len(sources)), 0.0)
    learned: dict[str, Sequence[Mapping[str, float]]] = {}
    for kind in (Kind.VISIT, Kind.KNOWN, Kind.RETURN):
        of_kind = kinds == kind.value
        general = _fit_if_better(rankings.take(of_kind), everywhere)
        fits: list[Fit] = []
        parts = [rankings.take(of_kind & (buckets == at)) for at in range(len(CONTEXT_SIZES))]
        for bound, part in zip(CONTEXT_SIZES, parts, strict=True):
            fit, facts = _never_worse(part, _fit_if_better(part, general))
            fits.append(fit)
            evidence |= {f"{name}{kind.value}_to_{bound}": value for name, value in facts.items()}
        fits = [fits[near] for near in _nearest_asked([len(part.total) for part in parts])]
        learned[Strategy.AUTO.value + kind.value] = [_named(fit, sources) for fit in fits]
    return BlendWeights(learned, evidence)


def _never_worse(slice_: Rankings, fit: Fit) -> tuple[Fit, Mapping[str, float]]:
    """The fit, or the best source alone where the blend loses more than LOSS to it; and how the two did."""
    count = len(slice_.total)
    facts = {"questions": float(count)}
    if count < LEAST_IN_SLICE:
        return fit, facts
    sources = slice_.scores.shape[1]
    alone = [slice_.quality(_alone(at, sources), 0.0) for at in range(sources)]
    best, blended = int(np.argmax(alone)), slice_.quality(fit.weights, fit.power)
    facts |= {"best_source": alone[best], "blend": blended}
    if blended < alone[best] * (1.0 - LOSS):
        fit = Fit(_alone(best, sources), 0.0, alone[best])
        facts["blend"] = alone[best]
    return fit, facts


def _nearest_asked(counts: Sequence[int]) -> Sequence[int]:
    """For each size itself if enough was asked of it to fit or check weights, else the nearest of which it was, the
    greater of two; itself if there is none, and for the size 0, which is like no other."""
    asked = [at for at, count in enumerate(counts) if at and count >= LEAST_IN_SLICE]
    return [
        at if not at or not asked else min(asked, key=lambda other: (abs(other - at), -other))
        for at in range(len(counts))
    ]


def _named(fit: Fit, sources: Sequence[str]) -> Mapping[str, float]:
    scaled = fit.weights / max(float(fit.weights.max()), 1e-6)
    weights = {source: round(float(weight), 4) for source, weight in zip(sources, scaled, strict=True)}
    return {**weights, MOMENTUM: fit.power}


def _fit_if_better(part: Rankings, otherwise: Fit) -> Fit:
    """A fit of its own for a part, where one learned from each half is better on the other half than `otherwise`."""
    count = len(part.total)
    if count < LEAST_IN_BUCKET:
        return otherwise
    even = np.arange(count) % 2 == 0
    halves = part.take(even), part.take(~even)
    own = usual = 0.0
    for learned_from, asked in (halves, halves[::-1]):
        fit = _fit(learned_from, otherwise)
        own += asked.quality(fit.weights, fit.power)
        usual += asked.quality(otherwise.weights, otherwise.power)
    return _fit(part, otherwise) if own > usual * (1 + GAIN) else otherwise


def _fit(rankings: Rankings, start: Fit | None) -> Fit:
    """The best of `start`, each source alone and the logits, moved on by coordinate ascent."""
    count = rankings.scores.shape[1]
    starts = [] if start is None else [(start.weights, start.power)]
    starts += [(_alone(at, count), 0.0) for at in range(count)]
    starts += [(rankings.logit(power), power) for power in LOGIT_POWERS]
    best = None
    for weights, power in starts:
        quality = rankings.quality(weights, power)
        if best is None or quality > best.quality * (1 + GAIN):
            best = Fit(weights, power, quality)
    assert best is not None
    return _ascend(rankings, best)


def _ascend(rankings: Rankings, start: Fit) -> Fit:
    best = start
    for _ in range(ROUNDS):
        before = best.quality
        for power in POWERS:
            best = _better(rankings, best.weights, power, best)
        for source in range(len(best.weights)):
            for step in STEPS:
                weights = best.weights.copy()
                weights[source] = step
                if weights.any():
                    best = _better(rankings, weights, best.power, best)
        if best.quality <= before * (1 + GAIN):
            break
    return best


def _better(rankings: Rankings, weights: Vectors, power: float, best: Fit) -> Fit:
    quality = rankings.quality(weights, power)
    return Fit(weights, power, quality) if quality > best.quality * (1 + GAIN) else best


def _alone(at: int, count: int) -> Vectors:
    weights = np.zeros(count, np.float32)
    weights[at] = 1.0
    return weights
