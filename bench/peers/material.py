"""What a peer learns from and is asked: the events of a task as arrays, and questions as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reco_svc.domain.evaluation.splitting import Split, held_out, time_of_cut
from reco_svc.domain.learning.events import LearningEvents, learning_events
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.service.evaluation_task import EvaluationTask

DAY_S = 86_400.0
VALIDATION_SHARE = 0.1
VALIDATION_QUESTIONS = 400


@dataclass(frozen=True)
class Asked:
    """Questions: `histories` (distinct rows, oldest first), what may not be answered, what was right."""

    ids: Sequence[str]
    histories: Sequence[Rows]
    excluded: Sequence[Rows]
    relevant: Sequence[Rows]


@dataclass(frozen=True)
class Material:
    """Wanted events over `n` rows, in time order; `allowed` (n,) may be answered."""

    events: LearningEvents
    n: int
    allowed: Mask

    @property
    def age_days(self) -> Vectors:
        """Of each event, against the newest."""
        return (self.events.at_s.max() - self.events.at_s) / DAY_S

    def had(self, unit: str, half_life_days: float) -> sparse.csr_matrix:
        """Units ("session" or "visitor") × rows: the greatest weight of age that an event of the pair has."""
        codes = np.unique(getattr(self.events, unit), return_inverse=True)[1]
        weight = (0.5 ** (self.age_days / half_life_days)).astype(np.float32)
        pair = codes.astype(np.int64) * self.n + self.events.row
        last = np.unique(pair[::-1], return_index=True)
        pairs, at = last[0], len(pair) - 1 - last[1]
        shape = (int(codes.max()) + 1, self.n)
        return sparse.csr_matrix((weight[at], (pairs // self.n, pairs % self.n)), shape=shape)


def of_task(task: EvaluationTask) -> tuple[Material, Asked]:
    """Everything of a task; the questions in its order."""
    rows = {product.product_id: at for at, product in enumerate(task.products)}
    events = learning_events(task.log.scan(), rows.__getitem__, DEFAULT_WEIGHTS).wanted
    allowed = np.array([task.candidates is None or p.product_id in task.candidates for p in task.products])

    def coded(ids: Sequence[str]) -> Rows:
        return np.array([rows[id_] for id_ in ids if id_ in rows], np.int64)

    asked = Asked(
        [query.query_id for query in task.queries],
        [_distinct(coded(query.history)) for query in task.queries],
        [coded(query.exclude) for query in task.queries],
        [coded(sorted(query.relevant)) for query in task.queries],
    )
    return Material(events, len(rows), allowed), asked


def validation(material: Material, task: EvaluationTask) -> tuple[Material, Asked]:
    """The same kind of questions inside the training events: what peers are tuned on.

    A task that names visitors asks what is new in their next session, any other what completes a session.
    """
    split = Split.NEXT if any(query.visitor_id for query in task.queries) else Split.SESSION
    cut_s = time_of_cut(material.events, VALIDATION_SHARE)
    held = held_out(material.events, cut_s, split)
    held = held[:: max(1, len(held) // VALIDATION_QUESTIONS)]
    histories = [one.history for one in held]
    asked = Asked([str(at) for at in range(len(held))], histories, histories, [one.relevant for one in held])
    early = material.events.take(material.events.at_s < cut_s)
    return Material(early, material.n, material.allowed), asked


def _distinct(rows: Rows) -> Rows:
    """Each row once, at its last place."""
    return np.array(list(dict.fromkeys(reversed(rows.tolist())))[::-1], np.int64)
