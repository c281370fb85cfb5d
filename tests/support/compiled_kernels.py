"""Which kernels of the recommender are compiled in this process, and questions to real tables that need them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product as each_of
from pathlib import Path

import numpy as np
from numba.core.dispatcher import Dispatcher

from reco_svc.adapters.index_building import EXACT_UP_TO, build_index
from reco_svc.adapters.snapshot_files import load_snapshot, save_snapshot
from reco_svc.adapters.trial_index import trial_index
from reco_svc.domain.blend import CONTEXT_SIZES, MOMENTUM, BlendWeights
from reco_svc.domain.model import (
    Context,
    EventType,
    Preferences,
    Product,
    ProductChange,
    RecommendQuery,
    SessionStep,
    Strategy,
)
from reco_svc.domain.pipeline import default_pipeline
from reco_svc.domain.ports import HourlyCount
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import Place, Reach
from reco_svc.domain.snapshot import Collaborative, Graph, Snapshot, index_of
from reco_svc.domain.sources import STRATEGY_SOURCES, personal
from reco_svc.service.compile_kernels import compile_kernels
from reco_svc.service.live_state import LiveState
from tests.support.reco_fakes import NOON, product, snapshot_of

DIM, SMALL, LARGE = 8, 40, EXACT_UP_TO + 1
HOUR = int(NOON.timestamp()) // 3600
DICE = np.random.default_rng(1)


def compiled() -> set[str]:
    """Every kernel with every set of types that it was called with."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("reco_svc.")]
    kernels = {kernel for module in modules for kernel in vars(module).values() if isinstance(kernel, Dispatcher)}
    return {f"{kernel.py_func.__qualname__}{types}" for kernel in kernels for types in kernel.signatures}


def compiled_later(folder: Path) -> tuple[int, set[str]]:
    """How many kernels `compile_kernels` brings in, and those that are missing when real tables are asked: of a shop
    before its first model and after it, and of a large one. For a process that has asked nothing before."""
    large = _from_files(_large(), folder / "large")  # to make its index takes kernels too: those of a training
    compile_kernels(default_pipeline(), trial_index)
    known = compiled()
    live = LiveState(dim=DIM)
    live.apply_products([ProductChange(n, p.product_id, p) for n, p in enumerate(_shop(SMALL), start=1)])
    _ask(live)
    for blend in (BlendWeights({}, {}), _learned()):
        live.swap(_from_files(replace(_trained(SMALL), blend=blend), folder / f"{len(blend.by_strategy)}"))
        live.apply_counts(_views(SMALL))
        _ask(live)
        _with_what_came_since(live)
        _ask(live)
    personal.EVERY_ROW_UP_TO = personal.FEW = 0  # as in a shop of a million
    live = LiveState(dim=DIM)
    live.swap(large)
    live.apply_counts(_views(LARGE - 100))
    _ask(live)
    _with_what_came_since(live)
    _ask(live)
    return len(known), compiled() - known


def _ask(live: LiveState) -> None:
    table, pipeline = live.view().products, default_pipeline()
    ids = [table.id(row) for row in range(len(table)) if table.exists(row)][-30:]
    contexts = (
        Context(),
        Context(ids[-1], tuple(ids[:2])),
        Context(ids[0]),
        Context(query="mug"),
        Context(category="A"),
    )
    visitors = (
        ((), (), None),
        (ids[3:4], (), Preferences("v", ("A",), ("B1",))),
        ((), ids[3:9], Preferences("v", ("A",), price_min=2.0)),
        (ids[2:9], ids[3:5], None),
    )
    shapes: Iterator[RecommendQuery] = (
        RecommendQuery(strategy, context=context, filter=filter_, limit=limit, diversity=diversity, novelty=novelty)
        for strategy, context in each_of(Strategy, contexts)
        for filter_, limit, diversity, novelty in (
            ("", 10, None, None),
            ("price < 4", 2, 0.5, 0.5),
            ("", 100, 1.0, None),
        )
    )
    for query in shapes:
        for session, history, taste in visitors:
            steps = [SessionStep(product_id) for product_id in session]
            pipeline.answer(live.view(), query, steps, history, taste, now=NOON, recommendation_id="")


def _with_what_came_since(live: LiveState) -> None:
    """New products, one with its own vector, one with a stand-in; sessions of today."""
    revision = live.catalog_revision
    new = [product(f"new{n}", title=title, categories=("A",), price=3.0) for n, title in enumerate(("cup", "pot mug"))]
    live.apply_products([ProductChange(revision + n, p.product_id, p) for n, p in enumerate(new, start=1)])
    live.vectors_arrived(dict.fromkeys(live.pending_hashes(1), np.full(DIM, DIM**-0.5, np.float32)))
    table = live.view().products
    live.set_fresh_sessions(index_of([[0, 1, 2], [3, 4], range(30)], np.ones(len(table), np.float32)), table)


def _shop(n: int) -> list[Product]:
    return [
        product(
            f"p{at}",
            title=("Mug", "Cup", "Pot", "Pan")[at % 4],
            categories=(("A", "A > B", "C")[at % 3],),
            brand=f"B{at % 5}",
            group_id=f"g{at // 2}" if at < 10 else "",
            price=None if at % 7 == 0 else 1.0 + at % 9,
        )
        for at in range(n)
    ]


def _views(n: int) -> list[HourlyCount]:
    return [HourlyCount(f"p{at}", EventType.VIEW_ITEM, HOUR - at % 90, 1 + at % 4, at + 1) for at in range(n - 5)]


def _trained(n: int) -> Snapshot:
    column = np.arange(n, dtype=np.int32)
    column[-2:] = -1
    model = Collaborative(_numbers(n - 2, n - 2), column, np.arange(n - 2, dtype=np.int32), _graph(n))
    twins = np.full(n, -1, np.int32)
    twins[[20, 21]] = 20
    return replace(
        snapshot_of(*_shop(n), dim=DIM),
        vectors=_directions(n),
        alike=_graph(n),
        viewed=_graph(n),
        bought=_graph(n),
        sessions=index_of([DICE.permutation(n)[:4].tolist() for _ in range(600)], np.ones(n, np.float32)),
        collaborative=model,
        twins=twins,
        spread=0.5,
        reach=_reach(n),
    )


def _large() -> Snapshot:
    vectors = _directions(LARGE)
    made = snapshot_of(*_shop(LARGE), dim=DIM)
    model = replace(Collaborative.empty(LARGE), rows=np.arange(9, dtype=np.int32), neighbours=_graph(LARGE))
    made = replace(made, vectors=vectors, index=build_index(vectors)[0], collaborative=model, viewed=_graph(LARGE))
    return replace(made, reach=_reach(LARGE))


def _reach(n: int) -> Reach:
    given = {Strategy.AUTO + kind: Place(2, 30, 0.1) for kind in Kind}
    return Reach(DICE.integers(0, 9, (len(Kind), n)).astype(np.int32), given)


def _learned() -> BlendWeights:
    weights = dict.fromkeys((*STRATEGY_SOURCES[Strategy.AUTO], MOMENTUM), 1.0)
    return BlendWeights({strategy.value: [weights] * len(CONTEXT_SIZES) for strategy in Strategy}, {})


def _graph(n: int) -> Graph:
    return Graph(np.arange(0, 3 * n + 1, 3), DICE.integers(0, n, 3 * n, dtype=np.int32), _numbers(3 * n))


def _directions(n: int) -> np.ndarray:
    vectors = _numbers(n, DIM) - np.float32(0.3)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _numbers(*shape: int) -> np.ndarray:
    return DICE.random(shape, np.float32) + np.float32(0.01)


def _from_files(snapshot: Snapshot, folder: Path) -> Snapshot:
    folder.mkdir()
    save_snapshot(snapshot, folder)
    return load_snapshot(folder, folder.name)
