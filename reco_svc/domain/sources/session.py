"""Source `session`: what sessions like this one went on to.

V-SKNN (Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018) over the newest
sessions that share a product, as in VMIS-kNN (Kersbergen, Sprangers and Schelter, "Serenade", SIGMOD 2022).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.scratch import scratch
from reco_svc.domain.snapshot import SessionIndex, index_of
from reco_svc.domain.sources.selection import best_allowed
from reco_svc.domain.sources.summing import sum_of
from reco_svc.domain.view import View

NEWEST = 3_000  # sessions looked at for each product of the question, fewer for long questions
LOOKED_AT = 40_000  # sessions looked at in all
NEIGHBOURS = 500
QUERY_LENGTH = 100
POWER = 1.5  # of the similarity: the nearest sessions count more than their share


SessionArrays: TypeAlias = tuple[npt.NDArray[np.generic], ...]
_NO_SESSIONS = index_of([], np.empty(0, np.float32))


class SessionSource:
    """Nearest sessions: of the snapshot, and of those that came since.

    Similarity of a past session: the position weights of the products it shares with this one, each times its idf,
    times the weight of the session. A candidate's score: the similarities of its sessions to the POWER, decayed by how
    long ago the last shared product was, times (1 + its idf).
    """

    name = "session"
    reason = "session_after"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        snapshot = view.snapshot
        if snapshot is None:
            return Candidates.none()
        rows, weights = question.focus
        rows, weights = rows[-QUERY_LENGTH:], weights[-QUERY_LENGTH:]
        weights = weights * snapshot.fading.weights(self.name, question, len(rows))
        indexes = (snapshot.sessions, view.fresh)
        found, scores, evidence = neighbour_scores(indexes, rows, weights, past=snapshot.fading.is_past(question))
        return best_allowed(found, scores, evidence, k, allowed, view.products)


def neighbour_scores(
    indexes: Sequence[SessionIndex | None],
    rows: Rows,
    weights: Vectors,
    *,
    past: bool = False,
    neighbours: int = NEIGHBOURS,
) -> tuple[Rows, Vectors, Rows]:
    """Rows reached through the nearest sessions in no order, scores, and the query row that counted most for each.

    `rows` are distinct, oldest first, with their weights; they are not answered themselves. `past`: they tell of
    earlier visits. Each of at most two indexes gives its nearest `neighbours`. The cost grows with the sessions that
    are looked at, not with those there are.
    """
    first, second = [session_arrays(index, past=past) for index in (*indexes, None, None)[:2]]
    weights, room = weights.astype(np.float32, copy=False), session_scratch.of(first, second)
    found: tuple[Rows, Vectors, Rows] = nearest_of_both(rows, weights, neighbours, first, second, *room)
    return found


def session_arrays(index: SessionIndex | None, *, past: bool = False) -> SessionArrays:
    """What kernels read of an index; None: there are no sessions."""
    index = index or _NO_SESSIONS
    counts = index.past_weight if past and len(index.past_weight) else index.weight
    return index.session_ptr, index.item_rows, index.item_ptr, index.sessions, index.idf, counts


class _Scratch(threading.local):
    """Arrays by session and by row, a set for each thread: making them anew for a question would cost more than the
    search. Whoever uses the first and the third leaves zeros behind."""

    def __init__(self) -> None:
        self._arrays = self._made(0, 0)

    def of(self, first: SessionArrays, second: SessionArrays) -> tuple[SessionArrays, npt.NDArray[np.int32]]:
        """For two indexes: similarity, place of the last shared product (sessions,), total, greatest share and its
        witness (rows,); and places by row."""
        sessions, rows = (max(len(first[at]), len(second[at])) for at in (0, 2))
        if len(self._arrays[0]) < sessions or len(self._arrays[2]) < rows:
            self._arrays = self._made(sessions, rows)
        return self._arrays, scratch.places(rows)

    @staticmethod
    def _made(sessions: int, rows: int) -> SessionArrays:
        by_session = (np.zeros(sessions, np.float32), np.zeros(sessions, np.int32))
        return (*by_session, np.zeros(rows, np.float32), np.zeros(rows, np.float32), np.zeros(rows, np.int64))


session_scratch = _Scratch()


@njit(cache=True, nogil=True)
def nearest_of_both(rows, weights, neighbours, first, second, room, places):  # type: ignore[no-untyped-def]
    """Compiled: `neighbour_scores`, of `session_arrays` and with what `session_scratch` has for them.

    The scores of the index whose nearest session is less similar are brought to the scale of the other.
    """
    near, near_top = _searched(rows, weights, neighbours, first, room)
    if len(second[0]) < 2:
        return near
    far, far_top = _searched(rows, weights, neighbours, second, room)
    if far_top > near_top:
        near, far, near_top, far_top = far, near, far_top, near_top
    if not len(far[0]):
        return near
    return sum_of(near[0], near[1], near[2], far[0], far[1], far[2], np.float32((far_top / near_top) ** POWER), places)


@njit(cache=True, nogil=True)
def _searched(rows, weights, neighbours, index, room):  # type: ignore[no-untyped-def]
    """Of one index, the scores as if its nearest session had a similarity of 1; and that similarity. Rows past the end
    of the index were in none of its sessions."""
    session_ptr, item_rows, item_ptr, sessions, idf, counts = index
    similarity, last, total, strongest, witness = room
    known = rows < len(idf)
    rows, weights = rows[known], weights[known]
    newest = max(1, min(NEWEST, LOOKED_AT // max(len(rows), 1)))
    touched, near = _touched(rows, weights, item_ptr, sessions, idf, counts, newest, similarity, last)
    chosen = _nearest(touched, near, neighbours)
    top, most = np.float32(1e-30), 0
    for at in chosen:
        top = max(top, near[at])
        most += session_ptr[touched[at] + 1] - session_ptr[touched[at]]
    found, reached = np.empty(most, np.int64), 0
    for row in rows:
        strongest[row] = np.inf
    for at in chosen:
        session = touched[at]
        share = (near[at] / top) ** np.float32(POWER) * weights[last[session]]
        for spot in range(session_ptr[session], session_ptr[session + 1]):
            row = item_rows[spot]
            if strongest[row] == np.inf:
                continue
            if total[row] == 0.0:
                found[reached] = row
                reached += 1
                strongest[row] = 0.0
            total[row] += share
            if share > strongest[row]:
                strongest[row] = share
                witness[row] = rows[last[session]]
    for row in rows:
        strongest[row] = 0.0
    found = found[:reached]
    return (found, _taken(found, total, idf), witness[found]), top


@njit(cache=True, nogil=True)
def _taken(found, total, idf):  # type: ignore[no-untyped-def]
    """Scores of the found rows, of which the totals are 0 again."""
    scores = np.empty(len(found), np.float32)
    for at in range(len(found)):
        scores[at] = total[found[at]] * (np.float32(1.0) + idf[found[at]])
        total[found[at]] = 0.0
    return scores


@njit(cache=True, nogil=True)
def _touched(rows, weights, item_ptr, sessions, idf, counts, newest, similarity, last):  # type: ignore[no-untyped-def]
    """The newest sessions of each row, each once, and their similarity, times what a session counts (nothing given: 1
    each); `last` is the place of the last shared row."""
    touched, count = np.empty(len(rows) * newest, np.int32), 0
    for at in range(len(rows)):
        begin = item_ptr[rows[at]]
        gain = weights[at] * max(idf[rows[at]], np.float32(1e-6))
        for place in range(begin, min(item_ptr[rows[at] + 1], begin + newest)):
            session = sessions[place]
            if similarity[session] == 0.0:
                touched[count] = session
                count += 1
            similarity[session] += gain
            last[session] = at
    touched, near = touched[:count], np.empty(count, np.float32)
    for at in range(count):
        near[at] = similarity[touched[at]]
        if len(counts):
            near[at] *= counts[touched[at]]
        similarity[touched[at]] = 0.0
    return touched, near


@njit(cache=True, nogil=True)
def _nearest(touched, near, neighbours):  # type: ignore[no-untyped-def]
    """Places of the `neighbours` nearest sessions, in no order; the newest (greatest) of the equally near."""
    count = len(touched)
    if count <= neighbours:
        return np.arange(count)
    least = np.partition(near, count - neighbours)[count - neighbours]
    above = np.flatnonzero(near > least)
    tied = np.flatnonzero(near == least)
    wanted = neighbours - len(above)
    if wanted < len(tied):
        oldest = np.partition(touched[tied], len(tied) - wanted)[len(tied) - wanted]
        tied = tied[touched[tied] >= oldest]
    return np.concatenate((above, tied))
