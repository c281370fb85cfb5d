"""Questions whose answers are known: the newest sessions, asked of what was learned before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.model import EventType
from reco_svc.domain.ports import Mask, Rows
from reco_svc.domain.question import Question

CUT = 0.9  # share of sessions that begin before the cut
MOST_QUESTIONS = 2_000
HISTORY = 200
LITTLE = 2  # products of a usual session that hardly is one
ENDS = 400  # visitors whose last sessions are asked for
ENOUGH = 5  # products that a visitor has next: fewer tell little of how good a list is
SHORTEST_LONG = 20  # products of a session: fewer are a visit in any shop


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A question and the rows that followed it, none of which it mentions."""

    question: Question
    relevant: Rows


def held_back(events: LearningEvents, *, seed: int = 0) -> Mask:
    """Which events are asked for instead of learned from, (len(events),): those since the last 1 - CUT of the sessions
    began.

    Where a session is hardly more than one product, what is to be told is how histories go on, and few of them do at
    any one time. There the last sessions of some visitors with a history are held back too, whenever they were.
    """
    if not len(events):
        return np.zeros(0, np.bool_)
    begins = np.full(int(events.session.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(begins, events.session, events.at_s)
    begins = np.sort(begins[begins < np.iinfo(np.int64).max])
    late: Mask = events.at_s >= int(begins[int(len(begins) * CUT)])
    sizes = _session_sizes(events.wanted)
    if len(sizes) and np.median(sizes) <= LITTLE:
        late |= np.isin(events.session, list(_last_sessions(events.take(~late), np.random.default_rng(seed))))
    return late


def _last_sessions(events: LearningEvents, rng: np.random.Generator) -> Iterator[int]:
    """Of at most ENDS visitors, who had SHORTEST_LONG products before them: the last sessions with ENOUGH products."""
    sessions: dict[int, dict[int, set[int]]] = {}
    for visitor, session, row in zip(
        events.visitor.tolist(), events.session.tolist(), events.row.tolist(), strict=True
    ):
        sessions.setdefault(visitor, {}).setdefault(session, set()).add(row)
    visitors = [v for v, of in sessions.items() if len(set().union(*of.values())) >= SHORTEST_LONG + ENOUGH]
    for at in rng.permutation(len(visitors))[: min(ENDS, len(visitors) // 3)].tolist():
        ended: set[int] = set()
        for session, rows in reversed(sessions[visitors[at]].items()):
            if len(ended) >= ENOUGH:
                break
            ended |= rows
            yield session


def _session_sizes(events: LearningEvents) -> Rows:
    """How many distinct products each session has, of those with any."""
    rows = int(events.row.max(initial=0)) + 1
    return np.unique(np.unique(events.session * rows + events.row) // rows, return_counts=True)[1]


def longer_than_visits(events: LearningEvents) -> int:
    """How many distinct products make a session longer than 99 % of those with two or more, from SHORTEST_LONG to the
    MAX_STEPS that a caller may send."""
    sizes = _session_sizes(events.wanted)
    sizes = sizes[sizes >= 2]
    return int(np.clip(np.quantile(sizes, 0.99), SHORTEST_LONG, MAX_STEPS)) if len(sizes) else MAX_STEPS


def known_answers(events: LearningEvents, late: Mask, *, long: int = MAX_STEPS, seed: int = 0) -> list[KnownAnswer]:
    """At most MOST_QUESTIONS questions from sessions that were held back (`late`, see held_back) as a whole; none if
    there are none. `long` is that of Fading.

    Up to a third are asked before late sessions of a visitor with a history: what of them is new to the visitor?
    The rest are asked within sessions: half of these in the middle, half after a number of products drawn at random,
    and half of a visitor who is not recognised, half with what the visitor had before as history. Products that nobody
    had before are asked for like any other: so it is with what a shop is going to sell next.
    """
    rng = np.random.default_rng(seed)
    sessions = _late_sessions(events, late)
    histories = histories_of(events.take(~late).wanted, {visitor for visitor, _, _ in sessions})
    returns = _returns(sessions, histories, long, rng)
    none = np.empty(0, np.int64)
    within: list[KnownAnswer] = []
    for at in rng.permutation(len(sessions)).tolist():
        visitor, began_s, rows = sessions[at]
        length = len(rows) // 2 if rng.random() < 0.5 else int(rng.integers(1, max(2, len(rows))))
        history = histories.get(visitor, none) if rng.random() < 0.5 else none
        answer = _answer(rows[:length], history, rows[length:], began_s)
        if length and len(answer.relevant):
            within.append(answer)
        if len(within) + len(returns) >= MOST_QUESTIONS:
            break
    return within + returns


def _late_sessions(events: LearningEvents, late: Mask) -> list[tuple[int, float, list[int]]]:
    """Visitor, time and distinct wanted rows in order, of each session without an early event; oldest first. The time
    is that of its beginning, or of the newest early event if that came later: nobody asks before what is known."""
    known_s = float(events.at_s[~late].max(initial=0))
    begun = np.zeros(int(events.session.max(initial=-1)) + 1, np.bool_)
    begun[events.session[~late]] = True
    of_late = events.take(~begun[events.session]).wanted
    order = np.lexsort((np.arange(len(of_late)), of_late.session))
    session, row, visitor, at_s = (a[order] for a in (of_late.session, of_late.row, of_late.visitor, of_late.at_s))
    begins = np.flatnonzero(np.diff(session, prepend=-1)) if len(session) else np.empty(0, np.int64)
    ends = np.append(begins[1:], len(session))
    found = [
        (int(visitor[b]), max(float(at_s[b]), known_s), list(dict.fromkeys(row[b:e].tolist())))
        for b, e in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    return sorted(found, key=lambda session: session[1])


def _returns(
    late: Sequence[tuple[int, float, list[int]]], histories: dict[int, Rows], long: int, rng: np.random.Generator
) -> list[KnownAnswer]:
    """What is new to a visitor who has a history in what comes next? Asked again once that has come; in no order, at
    most a third of MOST_QUESTIONS, second questions of a visitor only if first ones do not fill them.

    Next are as many late sessions as it takes to bring ENOUGH new products, or all that are left. Every other history
    that is longer than a visit is asked as one, as callers do who keep no sessions.
    """
    sessions: dict[int, list[tuple[float, list[int]]]] = {}
    for visitor, began_s, rows in late:
        if visitor in histories:
            sessions.setdefault(visitor, []).append((began_s, rows))
    turns = [
        (turn, rng.random(), *asked)
        for visitor, later in sessions.items()
        for turn, asked in enumerate(_turns(histories[visitor].tolist(), later))
    ]
    found = []
    none = np.empty(0, np.int64)
    for at, (_, _, began_s, had, new) in enumerate(sorted(turns)[: MOST_QUESTIONS // 3]):
        as_session = len(had) >= long and at % 2 == 1
        session, history = (had[-MAX_STEPS:], none) if as_session else ([], np.array(had[-HISTORY:], np.int64))
        found.append(_answer(session, history, new, began_s))
    return [found[at] for at in rng.permutation(len(found)).tolist()]


def _turns(
    had: Sequence[int], sessions: Sequence[tuple[float, list[int]]]
) -> Iterator[tuple[float, list[int], list[int]]]:
    """When, what the visitor had until then, in order of the last time, and the new products that came next."""
    known, since = dict.fromkeys(had), dict[int, None]()
    began_s = -1.0
    for at, (at_s, rows) in enumerate(sessions):
        began_s = at_s if began_s < 0 else began_s
        since = {row: None for row in (*since, *rows) if row not in rows} | dict.fromkeys(rows)
        new = [row for row in since if row not in known]
        if new and (len(new) >= ENOUGH or at == len(sessions) - 1):
            yield began_s, list(known), new
            known = {row: None for row in known if row not in since} | since
            began_s, since = -1.0, {}


def _answer(seen: Sequence[int], history: Rows, rest: Sequence[int], now_s: float) -> KnownAnswer:
    """What of the `rest` is neither `seen` nor in the history."""
    mentioned = {*seen, *history.tolist()}
    relevant = np.array([row for row in rest if row not in mentioned], np.int64)
    return KnownAnswer(question_of(seen, history, now_s), relevant)


def question_of(seen: Sequence[int], history: Rows, now_s: float) -> Question:
    """What a visitor asks who has `seen` these rows in this visit."""
    return Question(
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


def histories_of(events: LearningEvents, visitors: set[int]) -> dict[int, Rows]:
    """Distinct rows of each of the visitors in order of the last time, the newest HISTORY."""
    of_them = events.take(np.isin(events.visitor, np.fromiter(visitors, np.int64, len(visitors))))
    histories: dict[int, list[int]] = {}
    for visitor, row in zip(of_them.visitor.tolist(), of_them.row.tolist(), strict=True):
        histories.setdefault(visitor, []).append(row)
    return {v: np.array(list(dict.fromkeys(reversed(rows)))[:HISTORY][::-1], np.int64) for v, rows in histories.items()}
