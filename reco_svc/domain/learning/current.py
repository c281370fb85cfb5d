"""Questions that visitors would ask now. Nobody knows their answers, but what lists show needs none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.validation import histories_of, question_of
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.ports import Rows
from reco_svc.domain.question import NO_ROWS, Question

MOST_VISITORS = 2_000  # before whose next visit is asked
MOST_QUESTIONS = 3_000  # fewer than these are filled with visits


def current_questions(events: LearningEvents, *, long: int) -> list[Question]:
    """As of the newest event, from whoever came last; none of no events. `long` is that of Fading.

    Before the next visit of MOST_VISITORS who came more than once: of a history, and where that is longer than a visit
    once more of a session, as callers ask who keep no sessions. And in the newest sessions, for up to MOST_QUESTIONS:
    in whole ones, for the model knows how they went on, and in every other one with what else the visitor had.
    """
    wanted = events.wanted
    if not len(wanted):
        return []
    now_s = float(wanted.at_s[-1])
    ends = _ends(wanted.session)
    came = wanted.visitor[ends]
    visitors, visits = np.unique(came, return_counts=True)
    again = set(visitors[visits > 1].tolist())
    returning = [visitor for visitor in dict.fromkeys(came.tolist()) if visitor in again][:MOST_VISITORS]
    histories = histories_of(wanted, {*returning, *came[:MOST_QUESTIONS].tolist()})
    told = [told for visitor in returning for told in _past(histories[visitor], long)]
    told.extend(_visits(wanted, ends[: max(0, MOST_QUESTIONS - len(told))], histories))
    return [question_of(session, history, now_s) for session, history in told]


def _past(had: Rows, long: int) -> Iterator[tuple[Sequence[int], Rows]]:
    """Session and history."""
    yield [], had
    if len(had) >= long:
        yield had[-MAX_STEPS:].tolist(), NO_ROWS


def _visits(wanted: LearningEvents, ends: Rows, histories: Mapping[int, Rows]) -> Iterator[tuple[Sequence[int], Rows]]:
    """The newest MAX_STEPS rows of each session that ends there, and history."""
    of_them = wanted.take(np.isin(wanted.session, wanted.session[ends]))
    sessions: dict[int, dict[int, None]] = {}
    for session, row in zip(of_them.session.tolist(), of_them.row.tolist(), strict=True):
        sessions.setdefault(session, {}).setdefault(row)
    for at, end in enumerate(ends.tolist()):
        seen = list(sessions[int(wanted.session[end])])
        before = histories[int(wanted.visitor[end])] if at % 2 else NO_ROWS
        yield seen[-MAX_STEPS:], before[~np.isin(before, seen)]


def _ends(session: Rows) -> Rows:
    """Where the last event of each session is, the newest first."""
    backward = np.unique(session[::-1], return_index=True)[1]
    return len(session) - 1 - np.sort(backward)
