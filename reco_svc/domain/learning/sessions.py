"""The index of past sessions that the `session` source searches."""

from __future__ import annotations

import numpy as np

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.ports import Rows
from reco_svc.domain.snapshot import SessionIndex

LONGEST = 200  # distinct products kept of a session, the newest
MOST_SESSIONS = 5_000_000


def session_index(
    events: LearningEvents, n: int, now_s: float, *, half_life_days: float, past_half_life_days: float
) -> SessionIndex:
    """Sessions with at least two distinct wanted products, oldest first by their last event.

    `n` is the number of rows. A session counts half for every `half_life_days` of age, or `past_half_life_days` where a
    question tells of earlier visits, and by the inverse root of its length, which makes the similarity of two sessions
    a cosine.
    """
    wanted = events.wanted
    if not len(wanted):
        return SessionIndex.empty(n)
    session, row, at_s = _distinct_newest(wanted, n)
    last = np.full(int(session.max()) + 1, -1, np.int64)
    np.maximum.at(last, session, at_s)
    sizes = np.bincount(session)
    kept = np.flatnonzero(sizes >= 2)
    kept = kept[np.lexsort((kept, last[kept]))][-MOST_SESSIONS:]
    if not len(kept):
        return SessionIndex.empty(n)
    place = np.full(len(sizes), -1, np.int64)
    place[kept] = np.arange(len(kept))
    inside = place[session] >= 0
    session, row, at_s = place[session[inside]], row[inside], at_s[inside]
    order = np.lexsort((at_s, session))
    session, row = session[order], row[order]
    age_days = np.maximum(0.0, now_s - last[kept]) / 86_400.0
    shorter = 1.0 / np.sqrt(np.bincount(session, minlength=len(kept)))
    weights = [
        np.maximum(0.5 ** (age_days / days) * shorter, 1e-30).astype(np.float32)
        for days in (half_life_days, past_half_life_days)
    ]
    session_ptr = np.concatenate([[0], np.cumsum(np.bincount(session, minlength=len(kept)))])
    by_row = np.lexsort((-session, row))
    counts = np.bincount(row, minlength=n)
    item_ptr = np.concatenate([[0], np.cumsum(counts)])
    with np.errstate(divide="ignore"):
        idf = np.where(counts > 0, np.log(len(kept) / np.maximum(counts, 1)), 0.0)
    return SessionIndex(
        session_ptr.astype(np.int64),
        row.astype(np.int32),
        item_ptr.astype(np.int64),
        session[by_row].astype(np.int32),
        idf.astype(np.float32),
        *weights,
    )


def _distinct_newest(events: LearningEvents, n: int) -> tuple[Rows, Rows, Rows]:
    """Each (session, row) once, at its last event, and of long sessions the newest LONGEST rows."""
    order = np.lexsort((np.arange(len(events)), events.at_s, events.row, events.session))
    session, row, at_s = events.session[order], events.row[order], events.at_s[order]
    final = np.ones(len(order), bool)
    final[:-1] = (session[1:] != session[:-1]) | (row[1:] != row[:-1])
    session, row, at_s, position = session[final], row[final], at_s[final], order[final]
    newest = np.lexsort((-position, session))
    session, row, at_s = session[newest], row[newest], at_s[newest]
    begins = np.concatenate([[True], session[1:] != session[:-1]])
    first = np.maximum.accumulate(np.where(begins, np.arange(len(session)), 0))
    keep = np.arange(len(session)) - first < LONGEST
    session, row, at_s = session[keep][::-1], row[keep][::-1], at_s[keep][::-1]
    return session, row, at_s
