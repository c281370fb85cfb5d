"""The files of a snapshot: arrays as .npy and products as lines, memory-mapped when read; everything else as JSON.

Vectors are float32 where the index is exact, float16 (a rounding of 0.0005) beside one in cells. Recommenders on
one machine share one copy of whatever is mapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from reco_svc.adapters.cell_vector_index import CellVectorIndex
from reco_svc.adapters.faiss_vector_index import FaissVectorIndex
from reco_svc.adapters.index_building import EXACT_UP_TO, build_index
from reco_svc.adapters.stored_products import StoredProducts, write_products
from reco_svc.domain.blend import BlendWeights
from reco_svc.domain.fading import Fading
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Strategy
from reco_svc.domain.ports import VectorIndex, Vectors
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import Place, Reach
from reco_svc.domain.snapshot import Collaborative, Graph, SessionIndex, Snapshot

PRODUCTS, ABOUT, VOCABULARY, INDEX = "products.jsonl", "about.json", "vocabulary.json", "index.faiss"
TWINS, PAST_WEIGHT = "twins.npy", "sessions.past_weight.npy"
SHOWN, SHOWN_TO_ALL = "reach.shown_by_kind.npy", "reach.shown.npy"  # the second of releases before kinds had their own
_ARRAYS = {
    "alike": ("ptr", "rows", "scores"),
    "viewed": ("ptr", "rows", "scores"),
    "bought": ("ptr", "rows", "scores"),
    "sessions": ("session_ptr", "item_rows", "item_ptr", "sessions", "idf", "weight"),
    "collaborative": ("weights", "column", "rows"),
    "neighbours": ("ptr", "rows", "scores"),
}


class NpySnapshotFiles:
    """How training writes: see `service.train.SnapshotFiles`."""

    def save(self, snapshot: Snapshot, folder: Path) -> None:
        """See `save_snapshot`."""
        save_snapshot(snapshot, folder)

    def build_index(self, vectors: Vectors) -> tuple[VectorIndex, float]:
        """See `index_building`."""
        return build_index(vectors)


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Writes every file; the same snapshot gives the same bytes."""
    write_products(folder / PRODUCTS, snapshot.products)
    precision = np.float32 if len(snapshot.vectors) <= EXACT_UP_TO else np.float16
    np.save(folder / "vectors.npy", np.asarray(snapshot.vectors, precision))
    if isinstance(snapshot.index, FaissVectorIndex):
        snapshot.index.save(folder / INDEX)
    elif isinstance(snapshot.index, CellVectorIndex):
        snapshot.index.save(folder)
    for part, names in _ARRAYS.items():
        for name in names:
            np.save(folder / f"{part}.{name}.npy", getattr(_part(snapshot, part), name))
    np.save(folder / PAST_WEIGHT, snapshot.sessions.past_weight)
    np.save(folder / TWINS, np.asarray(snapshot.twins, np.int32))
    np.save(folder / SHOWN, np.asarray(snapshot.reach.shown, np.int32))
    np.save(folder / "projection.npy", np.asarray(snapshot.projection.matrix, np.float16))
    words = sorted(snapshot.projection.vocabulary, key=snapshot.projection.vocabulary.__getitem__)
    (folder / VOCABULARY).write_bytes(orjson.dumps(words))
    fading = snapshot.fading
    about = {
        "catalog_revision": snapshot.catalog_revision,
        "embedder": snapshot.embedder,
        "blend": {"by_strategy": snapshot.blend.by_strategy, "evidence": snapshot.blend.evidence},
        "fading": {"visit": dict(fading.visit), "past": dict(fading.past), "long": fading.long},
        "spread": snapshot.spread,
        "reach": {key: list(place) for key, place in snapshot.reach.places.items()},
        "quality": snapshot.quality,
        "facts": snapshot.facts,
    }
    (folder / ABOUT).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def load_snapshot(folder: Path, version: str) -> Snapshot:
    """Reads what `save_snapshot` wrote. ValueError, KeyError, TypeError or OSError when files do not fit together."""
    about = orjson.loads((folder / ABOUT).read_bytes())
    words = orjson.loads((folder / VOCABULARY).read_bytes())
    arrays = {part: [_array(folder / f"{part}.{name}.npy") for name in names] for part, names in _ARRAYS.items()}
    weights, column, rows = arrays["collaborative"]
    vectors = _array(folder / "vectors.npy")
    past = [_array(folder / PAST_WEIGHT)] if (folder / PAST_WEIGHT).exists() else []  # since sessions age apart
    snapshot = Snapshot(
        version=version,
        products=StoredProducts(folder / PRODUCTS),
        catalog_revision=about["catalog_revision"],
        vectors=vectors,
        index=_index(folder, vectors),
        embedder=about["embedder"],
        projection=LexicalProjection({word: at for at, word in enumerate(words)}, _array(folder / "projection.npy")),
        blend=BlendWeights(about["blend"]["by_strategy"], about["blend"]["evidence"]),
        fading=Fading(**about["fading"]),
        twins=_array(folder / TWINS),
        spread=about.get("spread", 0.0),
        reach=_reach(folder, about),
        quality=about["quality"],
        facts=about["facts"],
        alike=Graph(*arrays["alike"]),
        viewed=Graph(*arrays["viewed"]),
        bought=Graph(*arrays["bought"]),
        sessions=SessionIndex(*arrays["sessions"], *past),
        collaborative=Collaborative(weights, column, rows, Graph(*arrays["neighbours"])),
    )
    _check(snapshot)
    return snapshot


def _index(folder: Path, vectors: Vectors) -> VectorIndex | None:
    if (folder / INDEX).exists():  # exact; of releases before also the cells of FAISS
        return FaissVectorIndex.load(folder / INDEX)
    return CellVectorIndex.load(folder, vectors)


def _part(snapshot: Snapshot, name: str) -> object:
    return snapshot.collaborative.neighbours if name == "neighbours" else getattr(snapshot, name)


def _reach(folder: Path, about: Mapping[str, Any]) -> Reach:
    """What few lists show; nothing for a snapshot from before lists had a reach."""
    places = {key: Place(*place) for key, place in about.get("reach", {}).items()}
    if (folder / SHOWN).exists():
        return Reach(_array(folder / SHOWN), places)
    if not (folder / SHOWN_TO_ALL).exists():
        return Reach()
    shown, visit = _array(folder / SHOWN_TO_ALL), Strategy.AUTO.value
    long = {visit + Kind.LONG: places[visit]} if visit in places else {}  # sessions of any length were visits
    return Reach(np.broadcast_to(shown, (len(Kind), len(shown))), places | long)


def _check(snapshot: Snapshot) -> None:
    n = snapshot.n
    shapes = {
        "vectors": len(snapshot.vectors) == n and snapshot.vectors.ndim == 2,
        "alike": len(snapshot.alike.ptr) == n + 1,
        "viewed": len(snapshot.viewed.ptr) == n + 1,
        "bought": len(snapshot.bought.ptr) == n + 1,
        "sessions": len(snapshot.sessions.item_ptr) == n + 1,
        "collaborative": len(snapshot.collaborative.column) == n,
        "neighbours": len(snapshot.collaborative.neighbours.ptr) == n + 1,
        "projection": snapshot.projection.dim == snapshot.vectors.shape[1],
        "twins": len(snapshot.twins) in (0, n),
        "reach": snapshot.reach.shown.shape[-1] in (0, n),
        "index": snapshot.index is None or snapshot.index.size == n,  # type: ignore[attr-defined]
    }
    wrong = [name for name, fits in shapes.items() if not fits]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} not of the size of {n} products")


def _array(path: Path) -> Any:
    """Memory-mapped, as a plain array: numpy's own memmap class costs 10 µs at every slice."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
