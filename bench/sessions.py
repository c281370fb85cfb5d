"""Searches a million sessions: `python -m bench.sessions [--sessions N] [--products N]`.

Sessions have 2 to 20 products (geometric, 5 on average) of a Zipf-like catalog, half of each from one stretch of it.
Prints the time of a search of 1 to 6 products, the memory of the index, and a plain reading of the same definition over
the same index as the baseline. In process, no network.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from time import perf_counter, thread_time

import numpy as np

from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.snapshot import SessionIndex
from reco_svc.domain.sources.session import NEIGHBOURS, NEWEST, POWER, neighbour_scores

SEED = 17


def main() -> None:
    """Builds, asks, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--asked", type=int, default=2_000)
    parser.add_argument("--plainly", type=int, default=20, help="questions to the baseline")
    given = parser.parse_args()
    index = made_index(given.sessions, given.products)
    arrays = (getattr(index, name) for name in index.__slots__)
    print(f"{index.count:,} sessions, {len(index.item_rows):,} steps, {sum(a.nbytes for a in arrays) / 1e6:,.0f} MB")
    rng = np.random.default_rng(SEED + 1)
    questions = [_question(index, rng) for _ in range(given.asked)]
    for rows, weights in questions[:50]:
        neighbour_scores((index,), rows, weights)
    _tell("search", [_timed(partial(neighbour_scores, (index,), *question)) for question in questions])
    few = questions[: given.plainly]
    _tell("plain reading", [_timed(partial(plain, index, *question)) for question in few])


def made_index(sessions: int, products: int) -> SessionIndex:
    """An index of made-up sessions, oldest first."""
    rng = np.random.default_rng(SEED)
    sizes = np.clip(rng.geometric(0.25, sessions) + 1, 2, 20)
    owner = np.repeat(np.arange(sessions), sizes)
    fame = np.minimum((products ** rng.random(len(owner))).astype(np.int64), products - 1)
    begins = np.repeat((products ** rng.random(sessions)).astype(np.int64), sizes)
    near = (begins + rng.geometric(0.05, len(owner))) % products
    pairs = np.unique(owner * products + np.where(rng.random(len(owner)) < 0.5, near, fame))
    owner, row = pairs // products, pairs % products
    counts, held = np.bincount(row, minlength=products), np.bincount(owner, minlength=sessions)
    return SessionIndex(
        np.concatenate([[0], np.cumsum(held)]).astype(np.int64),
        row.astype(np.int32),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        owner[np.lexsort((-owner, row))].astype(np.int32),
        np.log(sessions / np.maximum(counts, 1)).astype(np.float32),
        (1 / np.sqrt(np.maximum(held, 1))).astype(np.float32),
    )


def plain(index: SessionIndex, rows: Rows, weights: Vectors) -> dict[int, float]:
    """The definition, read aloud."""
    near: dict[int, float] = {}
    last: dict[int, int] = {}
    for at, row in enumerate(rows.tolist()):
        begin, end = int(index.item_ptr[row]), int(index.item_ptr[row + 1])
        for session in index.sessions[begin : min(end, begin + NEWEST)].tolist():
            near[session] = near.get(session, 0.0) + float(weights[at] * index.idf[row])
            last[session] = at
    nearest = sorted(near, key=lambda s: (-near[s] * float(index.weight[s]), -s))[:NEIGHBOURS]
    scores: dict[int, float] = {}
    for session in nearest:
        share = (near[session] * float(index.weight[session])) ** POWER * float(weights[last[session]])
        for row in index.item_rows[index.session_ptr[session] : index.session_ptr[session + 1]].tolist():
            scores[row] = scores.get(row, 0.0) + share
    return {row: score * (1 + float(index.idf[row])) for row, score in scores.items() if row not in rows}


def _question(index: SessionIndex, rng: np.random.Generator) -> tuple[Rows, Vectors]:
    """A few products of one past session."""
    session = int(rng.integers(index.count))
    rows = index.item_rows[index.session_ptr[session] : index.session_ptr[session + 1]].astype(np.int64)
    rows = rng.permutation(rows)[: int(rng.integers(1, 7))]
    return rows, (np.arange(len(rows), 0, -1.0) ** -0.75).astype(np.float32)


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds that passed, and those of them on the processor: a busy machine makes the two differ."""
    begin, worked = perf_counter(), thread_time()
    call()
    return 1e3 * (perf_counter() - begin), 1e3 * (thread_time() - worked)


def _tell(name: str, taken_ms: list[tuple[float, float]]) -> None:
    for clock, taken in zip(("passed", "worked"), zip(*taken_ms, strict=True), strict=True):
        p50, p99 = np.percentile(taken, [50, 99])
        print(f"{name}, {clock}: p50 {p50:.2f} ms, p99 {p99:.2f} ms over {len(taken):,} questions")


if __name__ == "__main__":
    main()
