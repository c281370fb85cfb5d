"""Use case: have every kernel compiled that an answer may need, before there is a question.

Numba compiles a kernel when it is first called, once for each set of argument types, and keeps what it made in files:
some twenty seconds on a fresh machine and after an upgrade, half a second later. An array that is mapped from a file,
read-only, is of another type than one made in memory, and many kernels are reached in a trained shop alone. So
questions are asked of a made-up shop: before its first training, and with snapshots like those of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from reco_svc.domain.blend import CONTEXT_SIZES, BlendWeights
from reco_svc.domain.model import Context, EventType, Product, RecommendQuery, RuleSet, SessionStep, Strategy
from reco_svc.domain.pipeline import Pipeline
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import HourlyCount, VectorIndex, Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import Place, Reach
from reco_svc.domain.snapshot import Collaborative, Graph, SessionIndex, Snapshot, index_of
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View

NOW = datetime(2026, 1, 1, tzinfo=UTC)
N, DIM = 16, 4
PRODUCTS = [Product(f"p{n}", f"Product {n}", categories=("All",), brand="Any", price=n + 1.0) for n in range(N)]
HAD = [p.product_id for p in PRODUCTS[:-1]]  # nobody had the last one
SESSION, BOUGHT = [SessionStep(product_id) for product_id in HAD[:3]], HAD[3:4]
PLACED = [Strategy.AUTO + kind for kind in Kind]
APART = [{"unseen": 1.0, "popular": 1.0}] * len(CONTEXT_SIZES)  # sources of which no two propose the same
MOST_KERNELS = 100  # of one question
Part = TypeVar("Part", Graph, Collaborative)
Number = TypeVar("Number", bound=np.generic)


def compile_kernels(
    pipeline: Pipeline,
    large_index: Callable[[Vectors], VectorIndex],
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> OSError | None:
    """Asks the pipeline until `stopped()`, which is looked at between questions. In any thread.

    `large_index` makes the index of a large shop, with read-only arrays, over vectors (n, dim) of half precision.
    Returns why a kernel could not be kept in a file, None if all were: compiled they are all the same.
    """
    trouble = None
    for view in _views(large_index):
        for query in _queries():
            if stopped():
                return trouble
            answer = partial(pipeline.answer, view, query, SESSION, BOUGHT, None, now=NOW, recommendation_id="")
            trouble = _compiled(answer) or trouble
        trouble = _compiled(partial(_near_a_price, view.products)) or trouble
    return trouble


def _compiled(ask: Callable[[], object]) -> OSError | None:
    """Asks again while a kernel can not be kept in a file: each is compiled by then, and raises once."""
    trouble = None
    for _ in range(MOST_KERNELS):
        try:
            ask()
            break
        except OSError as error:
            trouble = error
    return trouble


def _queries() -> Iterator[RecommendQuery]:
    """The simple ones first: each brings in few kernels."""
    for strategy in sorted(Strategy, key=lambda strategy: strategy is Strategy.AUTO):
        yield RecommendQuery(strategy=strategy, limit=2, diversity=0.5)
    yield RecommendQuery(strategy=Strategy.SESSION, limit=2)  # one of those that are ranked together
    yield RecommendQuery()  # with places for what few lists show
    for strategy in (Strategy.SIMILAR, Strategy.AUTO):
        yield RecommendQuery(strategy=strategy, context=Context("p4", basket=("p5",)), diversity=0.5)


def _near_a_price(products: ProductTable) -> None:
    """What `personal` asks in a shop of more products than this one has."""
    products.leaf_by_price(0).near(0.0, 1, np.ones(N, np.bool_), products.brand, np.zeros(1, np.float32))


def _views(large_index: Callable[[Vectors], VectorIndex]) -> Iterator[View]:
    """Before a training; trained; trained and large, where vectors of half precision are searched in cells and of a
    model of histories there are the neighbours of each product alone."""
    yield _view(None, VectorSpace.empty(DIM))
    vectors = _read_only(np.eye(N, DIM, dtype=np.float32) + np.float32(0.5))
    small = _trained(vectors)
    yield _view(small, VectorSpace(vectors, None))
    halves: Vectors = _read_only(np.asarray(vectors, "float16"))
    large = replace(
        small,
        vectors=halves,
        alike=_of_a_file(Graph.empty(N)),
        collaborative=replace(small.collaborative, weights=np.zeros((0, 0), np.float32)),
        blend=BlendWeights({Strategy.AUTO: APART}, {}),
    )
    yield _view(large, VectorSpace(halves, large_index(halves)))


def _view(snapshot: Snapshot | None, vectors: VectorSpace) -> View:
    products, popularity = ProductTable(), Popularity()
    products.load(PRODUCTS, 1)
    hour = int(NOW.timestamp()) // 3600
    popularity.apply([HourlyCount(id_, EventType.VIEW_ITEM, hour, 9, 1) for id_ in HAD], products.row)
    return View(products, vectors, popularity, snapshot, RuleSet(), fresh=_sessions() if snapshot else None)


def _trained(vectors: Vectors) -> Snapshot:
    """One in which everything goes with everything else, so that every source proposes something."""
    rows, graph = np.arange(N - 1, dtype=np.int32), _graph()
    column = np.append(rows, np.int32(-1))  # nobody had the last one, so it is reached by what is like the others
    model = Collaborative(np.ones((N - 1, N - 1), np.float32), column, rows, graph)
    return replace(
        Snapshot.of_content(PRODUCTS, vectors, graph),
        viewed=graph,
        bought=graph,
        sessions=_sessions(),
        collaborative=_of_a_file(model),
        twins=_read_only(np.full(N, -1, np.int32)),
        spread=1.0,
        reach=Reach(_read_only(np.zeros((len(Kind), N), np.int32)), dict.fromkeys(PLACED, Place(1, N, 0.1))),
    )


def _graph() -> Graph:
    others = [other for row in range(N) for other in range(N) if other != row]
    ptr = np.arange(0, len(others) + 1, N - 1)
    return _of_a_file(Graph(ptr, np.array(others, np.int32), np.ones(len(others), np.float32)))


def _sessions() -> SessionIndex:
    return index_of([range(N), range(N - 1)], np.ones(N, np.float32))


def _of_a_file(part: Part) -> Part:
    """With read-only arrays."""
    for field in fields(part):
        if isinstance(array := getattr(part, field.name), np.ndarray):
            _read_only(array)
    return part


def _read_only(array: npt.NDArray[Number]) -> npt.NDArray[Number]:
    array.setflags(write=False)
    return array
