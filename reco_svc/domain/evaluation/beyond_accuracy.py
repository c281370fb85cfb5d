"""What accuracy does not tell: coverage, novelty, variety, and how much popular products are favoured.

All look at the first DEPTH products of each list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reco_svc.domain.ports import Rows, Vectors

DEPTH = 10
COVERAGE, NOVELTY, DIVERSITY = "coverage@10", "novelty@10", "diversity@10"
PERCENTILE, GINI = "popularity@10", "gini@10"
BEYOND = (COVERAGE, NOVELTY, DIVERSITY, PERCENTILE, GINI)


@dataclass(frozen=True, slots=True)
class Shelves:
    """What lists are judged against: `events` (n,) in training of each row, `vectors` (n, dim) normalised or zero, and
    how many rows may be answered at all."""

    events: Rows
    vectors: Vectors
    answerable: int


def beyond_accuracy(lists: Sequence[Rows], shelves: Shelves) -> Mapping[str, float]:
    """The BEYOND figures of lists of rows, best first.

    coverage@10    share of the answerable products that are in any list
    novelty@10     mean of -log2 of the share of all events a product has, in bits (Castells and Vargas 2011); add-one
    diversity@10   mean over lists of 1 - the mean cosine of its pairs (Ziegler et al. 2005)
    popularity@10  mean percentile of popularity: 1 for the most wanted product, 0.5 on average for a random one
    gini@10        inequality of how often each answerable product is shown: 0 all alike, 1 always the same
    """
    tops = [rows[:DEPTH] for rows in lists if len(rows)]
    if not tops:
        return dict.fromkeys(BEYOND, 0.0)
    shown = np.concatenate(tops)
    counts = np.bincount(shown, minlength=len(shelves.events))
    share = (shelves.events + 1.0) / (shelves.events.sum() + len(shelves.events))
    return {
        COVERAGE: float(np.count_nonzero(counts)) / max(1, shelves.answerable),
        NOVELTY: float(-np.log2(share[shown]).mean()),
        DIVERSITY: float(np.mean([_variety(shelves.vectors[rows]) for rows in tops])),
        PERCENTILE: float(popularity_percentiles(shelves.events)[shown].mean()),
        GINI: _gini(counts, shelves.answerable),
    }


def popularity_percentiles(events: Rows) -> Vectors:
    """(n,) in (0, 1]: the share of products that are at most as popular, ties sharing their mean."""
    if not len(events):
        return np.empty(0, np.float32)
    order = np.sort(events)
    below, upto = np.searchsorted(order, events, "left"), np.searchsorted(order, events, "right")
    return ((below + upto + 1) / 2.0 / len(events)).clip(0.0, 1.0).astype(np.float32)


def _variety(vectors: Vectors) -> float:
    n = len(vectors)
    if n < 2:
        return 0.0
    total = vectors.sum(0)
    pairs = (float(total @ total) - float((vectors * vectors).sum())) / (n * (n - 1))
    return 1.0 - pairs


def _gini(counts: Rows, answerable: int) -> float:
    """Over `answerable` products, of which those beyond the non-zero counts were never shown."""
    shown = np.sort(counts[counts > 0])
    n, total = max(answerable, len(shown)), float(shown.sum())
    if total <= 0 or n < 2:
        return 0.0
    places = np.arange(n - len(shown) + 1, n + 1)
    return float((2.0 * places - n - 1) @ shown / (n * total))
