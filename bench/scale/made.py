"""A shop of any size as a snapshot: made-up products, the index and files that training would make, and exact answers.

Training itself is left out: to embed a million texts on two cores takes more than an hour. The vectors come from
`bench.scale.vectors`, the sessions from `bench.sessions`; index, files and checksums are the product's own code.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from scipy import sparse

from bench.scale.filters import SELECTIVITIES, Columns, Filter, filters
from bench.scale.vectors import DIM, Places, placed, vectors
from bench.sessions import made_index
from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore
from reco_svc.adapters.snapshot_files import NpySnapshotFiles
from reco_svc.domain.blend import BlendWeights
from reco_svc.domain.learning.content import MOST_PRODUCTS
from reco_svc.domain.learning.content import NEIGHBOURS as ALIKE
from reco_svc.domain.learning.nearest import best_neighbours, joined
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Product
from reco_svc.domain.snapshot import Collaborative, Graph, Snapshot
from reco_svc.domain.sources.similar import PRICE_WEIGHT

SEED, BRANDS, QUESTIONS, NEIGHBOURS, BLOCK = 7, 5_000, 100, 30, 20_000
TRUTH = "truth.json"


@dataclass(frozen=True, slots=True)
class Made:
    """What a shop cost to make."""

    products: int
    index_s: float
    index_recall: float
    write_s: float
    vector_bytes: int
    index_bytes: int
    snapshot_bytes: int
    peak_rss_mb: float


def product_id(row: int) -> str:
    """Ids in row order."""
    return f"p{row:07d}"


def make(home: Path, n: int) -> Made:
    """Writes and activates a snapshot of `n` products under `home` and, beside it, questions with exact answers."""
    places, rng = placed(n, SEED), np.random.default_rng(SEED)
    columns = _columns(places, rng)
    matrix = np.empty((n, DIM), np.float32)
    for number, block in enumerate(vectors(places, SEED)):
        matrix[number * len(block) : number * len(block) + len(block)] = block
    (home / TRUTH).write_bytes(orjson.dumps(_truth(matrix, columns, rng)))
    files = NpySnapshotFiles()
    begun = time.perf_counter()
    index, recall = files.build_index(matrix)
    built = time.perf_counter()
    store = DirectorySnapshotStore((home / "snapshots").resolve())
    folder = store.new()
    graph = _graph(places)
    snapshot = Snapshot(
        version="",
        products=_Products(places, columns),
        catalog_revision=0,
        vectors=matrix,
        index=index,
        embedder="made-up",
        projection=LexicalProjection.empty(DIM),
        alike=_alike(matrix) if n <= MOST_PRODUCTS else Graph.empty(n),
        viewed=graph,
        bought=graph,
        sessions=made_index(min(n, 1_000_000), n),
        collaborative=Collaborative(
            np.zeros((0, 0), np.float32), np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32), graph
        ),
        blend=BlendWeights({}, {}),
    )
    files.save(snapshot, folder)
    version = store.publish(folder, {"products": n})
    store.activate(version)
    sizes = {path.name: path.stat().st_size for path in (home / "snapshots" / version).iterdir()}
    return Made(
        products=n,
        index_s=built - begun,
        index_recall=recall,
        write_s=time.perf_counter() - built,
        vector_bytes=sizes["vectors.npy"],
        index_bytes=sum(size for name, size in sizes.items() if name.startswith(("index.", "cells."))),
        snapshot_bytes=sum(sizes.values()),
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


class _Products(Sequence[Product]):
    """Products made when they are asked for."""

    def __init__(self, places: Places, columns: Columns) -> None:
        self._places, self._columns = places, columns

    def __len__(self) -> int:
        return len(self._places.category)

    def __iter__(self) -> Iterator[Product]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, row: int) -> Product:  # type: ignore[override]
        category, line = int(self._places.category[row]), int(self._places.line[row])
        department = int(self._places.department[category])
        return Product(
            product_id=product_id(row),
            title=f"Line {line} in category {category}, number {row}",
            description=f"A product of department {department}; it is made in batch {row % 97} for those who like it.",
            categories=(f"Department {department} > Category {category}",),
            brand=f"Brand {int(self._columns.brand[row])}",
            price=float(self._columns.price[row]),
            currency="EUR",
            created_at=_BEGAN + timedelta(minutes=row % 500_000),
        )


_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def _columns(places: Places, rng: np.random.Generator) -> Columns:
    """Prices log-normal around one of their category; brands Zipf, each at home in some categories."""
    usual = rng.normal(3.0, 0.8, int(places.category.max()) + 1)
    price = np.round(np.exp(usual[places.category] + rng.normal(0, 0.5, len(places.category))), 2)
    weights = 1.0 / np.arange(1, BRANDS + 1)
    brand = rng.choice(BRANDS, len(price), p=weights / weights.sum())
    at_home = rng.random(len(price)) < 0.5
    brand[at_home] = (places.category[at_home] * 7) % BRANDS
    return Columns(np.maximum(price, 0.5), brand.astype(np.int32), places.category, places.department)


def _graph(places: Places) -> Graph:
    """For each product up to NEIGHBOURS of its line and the next, falling scores: shaped like a learned graph."""
    n = len(places.category)
    order = np.argsort(places.line, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    steps = np.arange(1, NEIGHBOURS + 1)
    rows = order[(place[:, None] + steps) % n].astype(np.int32)
    scores = np.broadcast_to((1.0 / steps).astype(np.float32), rows.shape)
    return Graph(np.arange(n + 1, dtype=np.int64) * NEIGHBOURS, rows.ravel(), scores.ravel())


def _alike(matrix: npt.NDArray[np.float32]) -> Graph:
    """For each product those nearest to it, as many as training keeps."""
    parts = []
    for begin in range(0, len(matrix), BLOCK):
        likeness = matrix[begin : begin + BLOCK] @ matrix.T
        own = np.arange(len(likeness))
        likeness[own, begin + own] = 0.0
        nearest = np.argpartition(-likeness, ALIKE, axis=1)[:, :ALIKE]
        places = (np.repeat(own, ALIKE), nearest.ravel())
        found = sparse.csr_matrix((likeness[places], places), shape=likeness.shape)
        parts.append(best_neighbours(found, ALIKE))
    return joined(parts)


def _truth(matrix: npt.NDArray[np.float32], columns: Columns, rng: np.random.Generator) -> dict[str, object]:
    """For each selectivity its filters, and questions with the ten products that an exact `similar` answers."""
    asked = rng.choice(len(matrix), QUESTIONS, replace=False)
    scores = np.empty((QUESTIONS, len(matrix)), np.float32)
    for begin in range(0, len(matrix), BLOCK):
        part = slice(begin, begin + BLOCK)
        far = np.abs(np.log(columns.price[None, part] / columns.price[asked, None]))
        scores[:, part] = (matrix[asked] @ matrix[part].T) * (1 + PRICE_WEIGHT * np.maximum(1 - far, 0))
    scores[np.arange(QUESTIONS), asked] = -1.0
    shares: dict[str, object] = {}
    for share in SELECTIVITIES:
        some = filters(columns, share, rng)
        wanted = [_ten(row_scores, some[at % len(some)]) for at, row_scores in enumerate(scores)]
        shares[str(share)] = {
            "filters": [one.text for one in some],
            "share": float(np.mean([one.mask.mean() for one in some])),
            "questions": [
                {"product_id": product_id(row), "filter": some[at % len(some)].text, "wanted": wanted[at]}
                for at, row in enumerate(asked.tolist())
            ],
        }
    return shares


def _ten(scores: npt.NDArray[np.float32], one: Filter) -> list[str]:
    rows = np.flatnonzero(one.mask)
    best = rows[np.argpartition(-scores[rows], min(10, len(rows) - 1))[:10]]
    return [product_id(int(row)) for row in best[np.argsort(-scores[best])]]
