"""Questions whose answers are known: the newest sessions, asked of what was learned before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reco_svc.domain.candidates import Question
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.model import EventType
from reco_svc.domain.ports import Rows

CUT = 0.9  # share of sessions that begin before the cut
MOST_QUESTIONS = 2_000
HISTORY = 200
SHORTEST_LONG = 20  # products of a session: fewer are a visit in any shop


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A question and the rows that followed it, none of which it mentions."""

    question: Question
    relevant: Rows


def cut_time(events: LearningEvents) -> int:
    """Unix time before which CUT of the sessions begin."""
    begins = np.full(int(events.session.max()) + 1 if len(events) else 0, np.iinfo(np.int64).max)
    np.minimum.at(begins, events.session, events.at_s)
    begins = np.sort(begins[begins < np.iinfo(np.int64).max])
    return int(begins[int(len(begins) * CUT)]) if len(begins) else 0


def longer_than_visits(events: LearningEvents) -> int:
    """How many distinct products make a session longer than 99 % of those with two or more, from SHORTEST_LONG to the
    MAX_STEPS that a caller may send."""
    wanted = events.wanted
    rows = int(wanted.row.max(initial=0)) + 1
    sizes = np.bincount(np.unique(wanted.session * rows + wanted.row) // rows)
    sizes = sizes[sizes >= 2]
    return int(np.clip(np.quantile(sizes, 0.99), SHORTEST_LONG, MAX_STEPS)) if len(sizes) else MAX_STEPS


def known_answers(events: LearningEvents, cut_s: int, *, long: int = MAX_STEPS, seed: int = 0) -> list[KnownAnswer]:
    """At most MOST_QUESTIONS questions from sessions that began at `cut_s` or later; none if there are none. `long` is
    that of Fading.

    Up to a third are asked before the first such session of a visitor with a history: what of it is new to the visitor?
    The rest are asked within sessions: half of these in the middle, half after a number of products drawn at random,
    and half of a visitor who is not recognised, half with what the visitor had before as history. Products that nobody
    had before the cut are asked for like any other: so it is with what a shop is going to sell next.
    """
    wanted = events.wanted
    rng = np.random.default_rng(seed)
    late = _late_sessions(wanted, cut_s)
    histories = _histories(wanted, cut_s, {visitor for visitor, _, _ in late})
    returns = _returns(late, histories, long)
    returns = [returns[at] for at in rng.permutation(len(returns))[: MOST_QUESTIONS // 3].tolist()]
    none = np.empty(0, np.int64)
    within: list[KnownAnswer] = []
    for at in rng.permutation(len(late)).tolist():
        visitor, began_s, rows = late[at]
        length = len(rows) // 2 if rng.random() < 0.5 else int(rng.integers(1, max(2, len(rows))))
        history = histories.get(visitor, none) if rng.random() < 0.5 else none
        answer = _answer(rows[:length], rows[length:], history, began_s)
        if length and len(answer.relevant):
            within.append(answer)
        if len(within) + len(returns) >= MOST_QUESTIONS:
            break
    return within + returns


def _late_sessions(events: LearningEvents, cut_s: int) -> list[tuple[int, float, list[int]]]:
    """Visitor, beginning and distinct rows in order, of each session that began at the cut or later; oldest first."""
    order = np.lexsort((np.arange(len(events)), events.session))
    session, row, visitor, at_s = (a[order] for a in (events.session, events.row, events.visitor, events.at_s))
    begins = np.flatnonzero(np.diff(session, prepend=-1)) if len(session) else np.empty(0, np.int64)
    ends = np.append(begins[1:], len(session))
    late = [
        (int(visitor[b]), float(at_s[b]), list(dict.fromkeys(row[b:e].tolist())))
        for b, e in zip(begins.tolist(), ends.tolist(), strict=True)
        if at_s[b] >= cut_s
    ]
    return sorted(late, key=lambda session: session[1])


def _returns(late: Sequence[tuple[int, float, list[int]]], histories: dict[int, Rows], long: int) -> list[KnownAnswer]:
    """One question for each visitor who has a history: what is new in the first late session?

    Every other history that is longer than a visit is asked as one, as callers do who keep no sessions.
    """
    found, seen = [], set()
    none = np.empty(0, np.int64)
    for visitor, began_s, rows in late:
        if visitor in seen or visitor not in histories:
            continue
        seen.add(visitor)
        history = histories[visitor]
        as_session = len(history) >= long and len(seen) % 2 == 0
        session = history[-MAX_STEPS:].tolist() if as_session else []
        answer = _answer(session, rows, none if as_session else history, began_s, history)
        if len(answer.relevant):
            found.append(answer)
    return found


def _answer(
    seen: Sequence[int], rest: Sequence[int], history: Rows, now_s: float, never: Rows | None = None
) -> KnownAnswer:
    """What of the `rest` is neither `seen` nor in the history, nor among what is not wanted again."""
    mentioned = {*seen, *history.tolist(), *(() if never is None else never.tolist())}
    question = Question(
        anchor=-1,
        basket=np.empty(0, np.int64),
        session_rows=np.array(seen, np.int64),
        session_types=[EventType.VIEW_ITEM] * len(seen),
        session_ages_s=[0.0] * len(seen),
        history_rows=history,
        category="",
        query_vector=None,
        preferences=None,
        now_s=now_s,
    )
    return KnownAnswer(question, np.array([r for r in rest if r not in mentioned], np.int64))


def _histories(events: LearningEvents, cut_s: int, visitors: set[int]) -> dict[int, Rows]:
    """Distinct rows of each visitor before the cut, in order of the last time, the newest HISTORY."""
    early = events.take((events.at_s < cut_s) & np.isin(events.visitor, np.fromiter(visitors, np.int64, len(visitors))))
    histories: dict[int, list[int]] = {}
    for visitor, row in zip(early.visitor.tolist(), early.row.tolist(), strict=True):
        histories.setdefault(visitor, []).append(row)
    return {v: np.array(list(dict.fromkeys(reversed(rows)))[:HISTORY][::-1], np.int64) for v, rows in histories.items()}
