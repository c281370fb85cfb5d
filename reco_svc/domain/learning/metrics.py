"""Ranking metrics over the whole catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reco_svc.domain.ports import Rows, Vectors

METRICS = ("recall@20", "ndcg@10", "ndcg@20", "hr@10", "mrr@20")


def metric_values(lists: Sequence[Sequence[int]], relevant: Sequence[Rows]) -> Mapping[str, float]:
    """The mean of each metric; see `per_question`."""
    return {
        metric: float(values.mean()) if len(values) else 0.0 for metric, values in per_question(lists, relevant).items()
    }


def per_question(lists: Sequence[Sequence[int]], relevant: Sequence[Rows]) -> dict[str, Vectors]:
    """Each metric for each question, (questions,). Lists are best first; every question has at least one relevant row.

    NDCG has binary gains and the ideal list of min(k, relevant) hits (Järvelin and Kekäläinen 2002).
    """
    hits = np.zeros((len(lists), 20), np.float64)
    for at, (rows, wanted) in enumerate(zip(lists, relevant, strict=True)):
        known = set(wanted.tolist())
        hits[at, : len(rows[:20])] = [row in known for row in rows[:20]]
    total = np.array([len(wanted) for wanted in relevant], np.int64)
    gains = 1.0 / np.log2(np.arange(2, 22))
    ideal = np.concatenate([[0.0], np.cumsum(gains)])
    first = hits.argmax(1)
    return {
        "recall@20": hits.sum(1) / np.maximum(total, 1),
        "ndcg@10": hits[:, :10] @ gains[:10] / ideal[np.clip(total, 1, 10)],
        "ndcg@20": hits @ gains / ideal[np.clip(total, 1, 20)],
        "hr@10": (hits[:, :10].sum(1) > 0).astype(np.float64),
        "mrr@20": np.where(hits.any(1), 1.0 / (first + 1), 0.0),
    }
