"""What item-kNN alone would show, tuned as carefully: lists that a blend must not fall behind in reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reco_svc.domain.learning.collaborative import item_knn, strengths, without_hubs
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.learned import Lesson
from reco_svc.domain.learning.rankings import DEPTH
from reco_svc.domain.learning.tuning import DAMPINGS, proposed
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.ports import Rows
from reco_svc.domain.snapshot import Collaborative
from reco_svc.domain.sources.collaborative import CollaborativeSource
from reco_svc.domain.view import View


def rival_lists(
    view: View, early: LearningEvents, answers: Sequence[KnownAnswer], lesson: Lesson
) -> Sequence[Sequence[Rows]]:
    """For each of DAMPINGS the first DEPTH rows of item-kNN for each question."""
    if view.snapshot is None:
        return []
    n, now_s = view.snapshot.n, float(early.at_s.max())
    units = [strengths(early, unit, n, now_s, lesson.half_life_days) for unit in (early.visitor, early.session)]
    every = np.arange(n, dtype=np.int32)
    plain = Collaborative(np.zeros((0, 0), np.float32), every, every, item_knn(*units))
    views = [
        replace(view, snapshot=replace(view.snapshot, collaborative=without_hubs(plain, damping)))
        for damping in DAMPINGS
    ]
    source = CollaborativeSource()
    return [[proposed(source, rival, answer.question, DEPTH).rows for answer in answers] for rival in views]
