"""How much what fits a history is worth to its likes that nobody had: asked of products that training forgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.tuning import GAIN, LEAST_ASKED, MOST_ASKED, alone_quality
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.ports import Mask
from reco_svc.domain.sources.similar import UnseenSource
from reco_svc.domain.view import View

FORGOTTEN = 0.15  # share of the products that anybody had
SPREADS = (0.0, 0.1, 0.3, 1.0)


def forgotten(early: LearningEvents, n: int, seed: int) -> Mask:
    """(n,): FORGOTTEN of the products of the events, drawn at random."""
    had = np.flatnonzero(early.had(n))
    mask = np.zeros(n, np.bool_)
    mask[np.random.default_rng(seed).choice(had, int(FORGOTTEN * len(had)), replace=False)] = True
    return mask


def about_forgotten(answers: Sequence[KnownAnswer], forgot: Mask) -> list[KnownAnswer]:
    """The questions without what is forgotten, and what of it was right; at most MOST_ASKED, evenly spread."""
    found = []
    for answer in answers:
        asked, wanted = answer.question, answer.relevant[forgot[answer.relevant]]
        known = ~forgot[asked.session_rows]
        question = replace(
            asked,
            session_rows=asked.session_rows[known],
            session_types=[kind for kind, keep in zip(asked.session_types, known, strict=True) if keep],
            session_ages_s=[age for age, keep in zip(asked.session_ages_s, known, strict=True) if keep],
            history_rows=asked.history_rows[~forgot[asked.history_rows]],
        )
        if len(wanted) and len(question.session_rows) + len(question.history_rows):
            found.append(KnownAnswer(question, wanted))
    return found[:: max(1, -(-len(found) // MOST_ASKED))]


def best_spread(view: View, answers: Sequence[KnownAnswer]) -> float:
    """The spread under which `unseen` finds them best; 0 for too few questions. A greater one must clearly win."""
    if len(answers) < LEAST_ASKED:
        return 0.0
    best, most = 0.0, -1.0
    for spread in SPREADS:
        quality = alone_quality(UnseenSource(), spreading(view, spread), answers)
        if quality > most * GAIN:
            best, most = spread, quality
    return best


def spreading(view: View, spread: float) -> View:
    """The view under another `Snapshot.spread`."""
    return replace(view, snapshot=replace(view.snapshot, spread=spread)) if view.snapshot else view
