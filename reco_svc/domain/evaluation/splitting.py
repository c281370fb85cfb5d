"""Questions with known answers from the newest sessions of a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.ports import Rows

MOST_QUESTIONS = 2_000


class Split(StrEnum):
    """What is asked of the newest sessions.

    SESSION   first half of a session's products → the rest of it (of nobody in particular)
    NEXT      all that a visitor ever had → what is new in the first of the visitor's newest sessions
    """

    SESSION = "session"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Held:
    """A question: `history` distinct rows oldest first, `relevant` rows; `visitor` is the code of a known visitor, -1
    for nobody."""

    history: Rows
    relevant: Rows
    visitor: int = -1


def time_of_cut(events: LearningEvents, share: float) -> int:
    """Unix time from which the newest `share` of the sessions begin; 0 without events."""
    begins = np.sort(_begins(events))
    return int(begins[min(len(begins) - 1, int(len(begins) * (1.0 - share)))]) if len(begins) else 0


def held_out(events: LearningEvents, cut_s: int, split: Split, *, seed: int = 0) -> list[Held]:
    """At most MOST_QUESTIONS questions (drawn at random) from sessions that begin at `cut_s` or later, oldest first.

    Only wanted events count, and only products that had an event before the cut are asked about or asked for.
    """
    wanted = events.wanted
    before = wanted.take(wanted.at_s < cut_s)
    known = np.unique(before.row)
    late = wanted.take((_begins(wanted)[_session_codes(wanted)] >= cut_s) & np.isin(wanted.row, known))
    found = _within_sessions(late) if split is Split.SESSION else _next_sessions(late, before)
    if len(found) > MOST_QUESTIONS:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(found))[:MOST_QUESTIONS])
        return [found[at] for at in drawn.tolist()]
    return found


def _session_codes(events: LearningEvents) -> Rows:
    return np.unique(events.session, return_inverse=True)[1].astype(np.int64)


def _begins(events: LearningEvents) -> Rows:
    """First time of each session, in order of their codes."""
    codes = _session_codes(events)
    begins = np.full(int(codes.max()) + 1 if len(codes) else 0, np.iinfo(np.int64).max)
    np.minimum.at(begins, codes, events.at_s)
    return begins


def _within_sessions(late: LearningEvents) -> list[Held]:
    sessions: dict[int, list[int]] = {}
    for session, row in zip(late.session.tolist(), late.row.tolist(), strict=True):
        sessions.setdefault(session, []).append(row)
    found = []
    for rows in sessions.values():
        distinct = list(dict.fromkeys(rows))
        half = len(distinct) // 2
        if half:
            found.append(Held(_rows(distinct[:half]), _rows(distinct[half:])))
    return found


def _next_sessions(late: LearningEvents, before: LearningEvents) -> list[Held]:
    first: dict[int, tuple[int, list[int]]] = {}
    for visitor, session, row in zip(late.visitor.tolist(), late.session.tolist(), late.row.tolist(), strict=True):
        chosen, rows = first.setdefault(visitor, (session, []))
        if chosen == session:
            rows.append(row)
    histories: dict[int, list[int]] = {visitor: [] for visitor in first}
    for visitor, row in zip(before.visitor.tolist(), before.row.tolist(), strict=True):
        if visitor in histories:
            histories[visitor].append(row)
    found = []
    for visitor, (_, rows) in first.items():
        had = set(histories[visitor])
        fresh = [row for row in dict.fromkeys(rows) if row not in had]
        if had and fresh:
            distinct = list(dict.fromkeys(reversed(histories[visitor])))[::-1]
            found.append(Held(_rows(distinct), _rows(fresh), visitor))
    return found


def _rows(rows: Sequence[int]) -> Rows:
    return np.array(rows, np.int64)
