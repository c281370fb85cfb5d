"""Lists of the strategy `session` for many questions in two compiled calls.

A question by itself takes a dozen calls of numpy and of kernels, most of which cost more than what they compute. What
most callers ask has nothing that makes one question differ from the next: no filter, rule, boost or knob. Such plain
questions are ranked together, with the kernels that the ranker calls for one, so the lists are the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Sized
from itertools import chain

import numpy as np
from numba import njit

from reco_svc.domain.asking import Ask
from reco_svc.domain.blend import reciprocal_ranks
from reco_svc.domain.diversity import DEFAULT_DIVERSITY, first_of_groups, most_varied
from reco_svc.domain.model import Strategy
from reco_svc.domain.never_show import blocked_rows
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.ranking import CANDIDATES, Pick, Ranking, pool_size, taken_by_present
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources.selection import allowed_best
from reco_svc.domain.sources.session import (
    NEIGHBOURS,
    QUERY_LENGTH,
    SessionSource,
    nearest_of_both,
    session_arrays,
    session_scratch,
)

DIVERSITY = DEFAULT_DIVERSITY[Strategy.SESSION]
LONGEST = CANDIDATES // 2
_SOURCES = (SessionSource.name,)
_NOT_TOLD: Rows = np.empty(0, np.int64)


def session_lists(asks: Sequence[Ask]) -> Sequence[Ranking | None]:
    """A ranking for each ask that is plain and whose list is full without fallbacks, None for the others.

    All asks are of one view and one moment. `proposals` and `considered` of a ranking are left empty.
    """
    ready: list[Ranking | None] = [None] * len(asks)
    snapshot = asks[0].view.snapshot if asks else None
    if snapshot is None or _learned(snapshot):
        return ready
    plain = [at for at, ask in enumerate(asks) if _is_plain(ask, snapshot)]
    if not plain:
        return ready
    lists = _ranked([asks[at] for at in plain], snapshot)
    for at, *columns in zip(plain, *(column.tolist() for column in lists), strict=True):
        picks = [Pick(row, score, _SOURCES, (seed,)) for row, score, seed in zip(*columns, strict=True) if row >= 0]
        if len(picks) >= (limit := asks[at].query.limit):
            ready[at] = Ranking(picks[:limit], 0, {}, _NOT_TOLD)
    return ready


def _learned(snapshot: Snapshot) -> bool:
    """Whether training weighed or widened lists of this strategy, which the ranker alone does."""
    learned = (*snapshot.blend.by_strategy, *snapshot.reach.places)
    return any(key.partition(":")[0] == Strategy.SESSION for key in learned)


def _is_plain(ask: Ask, snapshot: Snapshot) -> bool:
    query, rules = ask.query, ask.rules
    return (
        query.strategy is Strategy.SESSION
        and 1 < query.limit <= LONGEST
        and ask.filter is None
        and query.diversity is None
        and not (query.novelty or query.include or ask.boosts or ask.excluded_categories)
        and not (rules.pins or rules.weights or rules.excludes)
        and not snapshot.fading.is_past(ask.question)
        and len(ask.question.focus[0]) > 0
    )


def _ranked(asks: Sequence[Ask], snapshot: Snapshot) -> tuple[Rows, Vectors, Rows]:
    """Rows (-1 for none), scores and evidence of the lists, (asks, longest limit)."""
    view, questions = asks[0].view, [ask.question for ask in asks]
    table, visible = view.products, view.products.visible(questions[0].now_s, ())
    first, second = session_arrays(snapshot.sessions), session_arrays(view.fresh)
    weights = [
        question.focus[1][-QUERY_LENGTH:] * snapshot.fading.weights(SessionSource.name, question, size)
        for question in questions
        for size in (min(QUERY_LENGTH, len(question.focus[1])),)
    ]
    rows = [question.focus[0][-QUERY_LENGTH:] for question in questions]
    pooled, scores, evidence, sizes = _pools(
        np.concatenate(rows),
        _ends(rows),
        np.concatenate(weights),
        (*_joined([blocked_rows(ask) for ask in asks]), *_joined([taken_by_present(ask) for ask in asks])),
        np.array([pool_size(ask.query.limit) for ask in asks], np.int64),
        first,
        second,
        *session_scratch.of(first, second),
        (visible, visible.copy(), table.id_rank, table.group, view.twins),
        reciprocal_ranks(CANDIDATES),
    )
    vectors, limits = view.vectors.matrix(pooled), np.array([ask.query.limit for ask in asks], np.int64)
    lists: tuple[Rows, Vectors, Rows] = _varied(pooled, scores, evidence, sizes, limits, vectors, table.leaf, DIVERSITY)
    return lists


def _joined(parts: Sequence[Collection[int]]) -> tuple[Rows, Rows]:
    """All numbers one after the other, and where each part ends."""
    return np.array(list(chain.from_iterable(parts)), np.int64), _ends(parts)


def _ends(parts: Sequence[Sized]) -> Rows:
    return np.cumsum([len(part) for part in parts])


@njit(cache=True, nogil=True)
def _pools(rows, ends, weights, kept_out, pools, first, second, room, places, table, worth):  # type: ignore[no-untyped-def]
    """The best of each question, one question after the other: rows, scores and evidence; and how many each has.

    Of the two masks in `table` the second is a copy of the first, and is one again at the end.
    """
    blocked, blocked_ends, held, held_ends = kept_out
    visible, allowed, id_rank, group, twins = table
    most, count = pools.sum(), 0
    found, scores, evidence = np.empty(most, np.int64), np.empty(most, np.float32), np.empty(most, np.int64)
    sizes = np.empty(len(ends), np.int64)
    begin, blocked_begin, held_begin = 0, 0, 0
    for at in range(len(ends)):
        near, near_scores, speaks = nearest_of_both(
            rows[begin : ends[at]], weights[begin : ends[at]], NEIGHBOURS, first, second, room, places
        )
        own = blocked[blocked_begin : blocked_ends[at]]
        for row in own:
            allowed[row] = False
        best, _, speaks = allowed_best(near, near_scores, speaks, len(worth), allowed, id_rank)
        for row in own:
            allowed[row] = visible[row]
        taken = held[held_begin : held_ends[at]]
        kept = first_of_groups(worth[: len(best)], best, pools[at], id_rank, group, twins, taken)
        for place in kept:
            found[count], scores[count], evidence[count] = best[place], worth[place], speaks[place]
            count += 1
        sizes[at] = len(kept)
        begin, blocked_begin, held_begin = ends[at], blocked_ends[at], held_ends[at]
    return found[:count], scores[:count], evidence[:count], sizes


@njit(cache=True, nogil=True)
def _varied(rows, scores, evidence, sizes, limits, vectors, leaf, diversity):  # type: ignore[no-untyped-def]
    """The picks of each question from its pool."""
    shape = (len(sizes), limits.max())
    found, given = np.full(shape, -1, np.int64), np.zeros(shape, np.float32)
    speaks = np.full(shape, -1, np.int64)
    begin = 0
    for at in range(len(sizes)):
        end = begin + sizes[at]
        if sizes[at] >= limits[at]:
            pool = rows[begin:end]
            if sizes[at] > 2:
                picks = most_varied(scores[begin:end], vectors[begin:end], leaf[pool], diversity, limits[at])
            else:
                picks = np.arange(limits[at])
            for place in range(len(picks)):
                pick = begin + picks[place]
                found[at, place], given[at, place], speaks[at, place] = rows[pick], scores[pick], evidence[pick]
        begin = end
    return found, given, speaks
