"""The fast paths of the sources say what a plain reading of their definitions says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.snapshot import Graph, SessionIndex
from reco_svc.domain.sources import session as session_source
from reco_svc.domain.sources.neighbours import reached

N = 8
edges = st.lists(st.lists(st.tuples(st.integers(0, N - 1), st.sampled_from([0.25, 0.5, 1.0])), max_size=4), max_size=N)


@settings(max_examples=200, deadline=None)
@given(edges, st.lists(st.integers(0, N + 2), unique=True, max_size=5), st.sampled_from([0.5, 1.0]))
def test_what_is_reached_from_seeds_is_the_weighted_sum_over_their_neighbours(
    lists: list[list[tuple[int, float]]], seeds: list[int], weight: float
):
    lists = [list({row: (row, score) for row, score in edges if row != at}.values()) for at, edges in enumerate(lists)]
    lists += [[]] * (N - len(lists))
    ptr = np.cumsum([0, *map(len, lists)])
    flat = [edge for edges in lists for edge in edges]
    graph = Graph(
        ptr.astype(np.int64), np.array([r for r, _ in flat], np.int32), np.array([s for _, s in flat], np.float32)
    )
    weights = np.array([weight * (at + 1) for at in range(len(seeds))], np.float32)
    totals: dict[int, float] = {}
    givers: dict[int, tuple[float, int]] = {}
    for seed, factor in zip(seeds, weights.tolist(), strict=True):
        for row, score in lists[seed] if seed < N else []:
            if row not in seeds:
                totals[row] = totals.get(row, 0.0) + score * factor
                if score * factor > givers.get(row, (0.0, -1))[0]:
                    givers[row] = (score * factor, seed)
    rows, scores, evidence = reached(graph, np.array(seeds, np.int64), weights)
    assert dict(zip(rows.tolist(), scores.tolist(), strict=True)) == totals
    assert dict(zip(rows.tolist(), evidence.tolist(), strict=True)) == {row: seed for row, (_, seed) in givers.items()}


def index_of(sessions: list[list[int]], weights: list[float]) -> SessionIndex:
    holders = [[s for s in reversed(range(len(sessions))) if row in sessions[s]] for row in range(N)]
    idf = [np.log(len(sessions) / len(h)) if h else 0.0 for h in holders]
    return SessionIndex(
        np.cumsum([0, *map(len, sessions)]).astype(np.int64),
        np.array([row for s in sessions for row in s], np.int32),
        np.cumsum([0, *map(len, holders)]).astype(np.int64),
        np.array([s for h in holders for s in h], np.int32),
        np.array(idf, np.float32),
        np.array(weights, np.float32),
    )


past = st.lists(
    st.tuples(st.lists(st.integers(0, N - 1), min_size=1, max_size=5, unique=True), st.sampled_from([0.5, 0.7, 1.0])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(past, st.lists(st.integers(0, N - 1), min_size=1, max_size=4, unique=True), st.integers(1, 12))
def test_the_nearest_sessions_speak_for_their_products(
    known: list[tuple[list[int], float]], asked: list[int], neighbours: int
):
    index = index_of([rows for rows, _ in known], [weight for _, weight in known])
    weights = np.array([1.0 / (len(asked) - at) for at in range(len(asked))], np.float32)
    near: dict[int, np.float32] = {}  # in the kernel's own precision, so that equals are equal
    last: dict[int, int] = {}
    for at, row in enumerate(asked):
        for s, (rows, _) in enumerate(known):
            if row in rows:
                near[s] = near.get(s, np.float32(0)) + weights[at] * max(index.idf[row], np.float32(1e-6))
                last[s] = at
    near = {s: similarity * index.weight[s] for s, similarity in near.items()}
    chosen = sorted(near, key=lambda s: (-near[s], -s))[:neighbours]
    total: dict[int, float] = {}
    for s in chosen:
        share = float(near[s] / near[chosen[0]]) ** session_source.POWER * float(weights[last[s]])
        for row in known[s][0]:
            if row not in asked:
                total[row] = total.get(row, 0.0) + share
    expected = {row: score * (1.0 + float(index.idf[row])) for row, score in total.items()}
    for _ in range(2):  # the second time over what the first left behind
        rows, scores, evidence = session_source.neighbour_scores(
            (index,), np.array(asked, np.int64), weights, neighbours=neighbours
        )
    assert set(rows.tolist()) == set(expected)
    assert {row: pytest.approx(expected[row], rel=1e-4) for row in expected} == dict(
        zip(rows.tolist(), scores.tolist(), strict=True)
    )
    assert set(evidence.tolist()) <= set(asked)
