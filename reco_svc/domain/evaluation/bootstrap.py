"""Intervals by resampling the questions (Efron and Tibshirani 1993): percentile bootstrap, paired across systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
SAMPLES, SEED = 1_000, 7
ENDS = (2.5, 97.5)  # percent


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class Verdict(StrEnum):
    """What a difference with its interval allows to say."""

    BETTER = "better"
    WORSE = "worse"
    UNKNOWN = "too small to tell"


@dataclass(frozen=True, slots=True)
class Difference:
    """A system minus its rival on the same questions. `ratio` is system over rival, 0 for a rival at 0."""

    rival: str
    difference: Figure
    ratio: float

    @property
    def verdict(self) -> Verdict:
        """Better or worse only if the interval of the difference leaves out 0."""
        if self.difference.low > 0:
            return Verdict.BETTER
        return Verdict.WORSE if self.difference.high < 0 else Verdict.UNKNOWN


class Resampled:
    """Per-question values of several systems, resampled once, so that differences are paired.

    `values` has one array (questions,) for each system. Every call with as many questions draws the same samples.
    """

    def __init__(self, values: Mapping[str, Values]) -> None:
        self._at = {name: at for at, name in enumerate(values)}
        stacked = np.stack(list(values.values()), 1) if values else np.zeros((0, 0))
        self._means = stacked.mean(0) if len(stacked) else np.zeros(stacked.shape[1])
        self._samples = _resampled_means(stacked)

    def figure(self, name: str) -> Figure:
        """Mean and interval of a system."""
        at = self._at[name]
        return _figure(float(self._means[at]), self._samples[:, at])

    def difference(self, name: str, rival: str) -> Difference:
        """A system against another."""
        mine, other = self._at[name], self._at[rival]
        gap = float(self._means[mine] - self._means[other])
        figure = _figure(gap, self._samples[:, mine] - self._samples[:, other])
        base = float(self._means[other])
        return Difference(rival, figure, float(self._means[mine]) / base if base > 0 else 0.0)


def ratio_figure(parts: Values, totals: Values) -> Figure:
    """Σ parts / Σ totals over questions with its interval; both (questions,). 0 when there is nothing to divide by."""
    total = float(totals.sum())
    if total <= 0:
        return Figure(0.0, 0.0, 0.0)
    samples = _resampled_means(np.stack([parts, totals], 1))
    ratios = samples[:, 0] / np.maximum(samples[:, 1], 1e-12)
    return _figure(float(parts.sum()) / total, ratios)


def _figure(value: float, samples: Values) -> Figure:
    low, high = np.percentile(samples, ENDS) if len(samples) else (value, value)
    return Figure(value, float(low), float(high))


def _resampled_means(values: Values) -> Values:
    """(SAMPLES, systems) means of `values` (questions, systems); no rows for no questions."""
    n = len(values)
    if not n:
        return np.zeros((0, values.shape[1]))
    rng = np.random.default_rng(SEED)
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n) @ values / n for _ in range(SAMPLES)])
