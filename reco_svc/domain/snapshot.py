"""What training learned, as arrays over rows 0 … n-1. Immutable; arrays may be memory-mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reco_svc.domain.blend import BlendWeights
from reco_svc.domain.fading import Fading
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Product
from reco_svc.domain.ports import Ints, Rows, VectorIndex, Vectors
from reco_svc.domain.reach import Reach

SCHEMA_VERSION = 3


@dataclass(frozen=True, slots=True)
class Graph:
    """Neighbours of each row, best first, as CSR: those of row r are rows[ptr[r]:ptr[r+1]] with their scores."""

    ptr: Rows
    rows: Ints
    scores: Vectors

    @classmethod
    def empty(cls, n: int) -> Graph:
        """No neighbours."""
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))

    def of(self, row: int) -> tuple[Ints, Vectors]:
        """Neighbours and scores of a row; empty for a row that came later."""
        if not 0 <= row < len(self.ptr) - 1:
            return self.rows[:0], self.scores[:0]
        begin, end = self.ptr[row], self.ptr[row + 1]
        return self.rows[begin:end], self.scores[begin:end]


@dataclass(frozen=True, slots=True)
class SessionIndex:
    """Past sessions, oldest first, and where each row occurs.

    Session s has the distinct rows item_rows[session_ptr[s]:session_ptr[s+1]]; row r occurs in the sessions
    sessions[item_ptr[r]:item_ptr[r+1]], newest first. `idf` is log(sessions / sessions with the row), 0 for unseen
    rows. `weight` (sessions,) is what a session counts, less the older and the longer it is (empty: 1 each);
    `past_weight` the same for questions that tell of earlier visits, which another age may suit (empty: as `weight`).
    """

    session_ptr: Rows
    item_rows: Ints
    item_ptr: Rows
    sessions: Ints
    idf: Vectors
    weight: Vectors = field(default_factory=lambda: np.empty(0, np.float32))
    past_weight: Vectors = field(default_factory=lambda: np.empty(0, np.float32))

    @classmethod
    def empty(cls, n: int) -> SessionIndex:
        """No sessions."""
        none = np.empty(0, np.int32)
        return cls(np.zeros(1, np.int64), none, np.zeros(n + 1, np.int64), none, np.zeros(n, np.float32))

    @property
    def count(self) -> int:
        """How many sessions."""
        return len(self.session_ptr) - 1


def index_of(sessions: Sequence[Sequence[int]], idf: Vectors) -> SessionIndex:
    """An index of sessions of distinct rows below len(idf), oldest first, whose age does not matter.

    Its arrays are read-only, as those of a file are: one kernel does for both.
    """
    sizes = np.array([len(rows) for rows in sessions], np.int64)
    item_rows = np.array([row for rows in sessions for row in rows], np.int32)
    owner = np.repeat(np.arange(len(sessions)), sizes)
    by_row = np.lexsort((-owner, item_rows))
    counts = np.bincount(item_rows, minlength=len(idf))
    arrays = (
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        item_rows,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        owner[by_row].astype(np.int32),
        idf.astype(np.float32),
        (1.0 / np.sqrt(np.maximum(sizes, 1))).astype(np.float32),
    )
    for array in arrays:
        array.setflags(write=False)
    return SessionIndex(*arrays)


@dataclass(frozen=True, slots=True)
class Collaborative:
    """Item-item weights of histories: `weights[a, b]` (c, c) says how much having column a speaks for column b.

    `column` (n,) maps a row to its column, -1 for rows nobody had; `rows` (c,) maps back. Where a dense matrix would be
    too large, `weights` is (0, 0) and `neighbours` (over all rows) has the greatest weights of each row instead.
    """

    weights: Vectors
    column: Ints
    rows: Ints
    neighbours: Graph

    @classmethod
    def empty(cls, n: int) -> Collaborative:
        """Nobody had anything."""
        none = np.empty(0, np.int32)
        return cls(np.zeros((0, 0), np.float32), np.full(n, -1, np.int32), none, Graph.empty(n))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything learned from one state of catalog and log.

    `vectors` is (n, dim), L2-normalised, zero rows for empty texts; `index` searches them. `alike` has the
    likest products by content, see learning/content.py; `spread` says how much what fits a history is worth to its
    likes that nobody had, see sources/similar.py. `twins` (n,) has the first row of the near-duplicates of each row,
    -1 for a row without any; empty: none are known. `reach` says what few lists show, see reach.py. `quality` is keyed
    "source/metric", `facts` are numbers for people (products, interactions, seconds, …).
    """

    version: str
    products: Sequence[Product]
    catalog_revision: int
    vectors: Vectors
    index: VectorIndex | None
    embedder: str
    projection: LexicalProjection
    alike: Graph
    viewed: Graph
    bought: Graph
    sessions: SessionIndex
    collaborative: Collaborative
    blend: BlendWeights
    fading: Fading = field(default_factory=Fading)
    twins: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    spread: float = 0.0
    reach: Reach = field(default_factory=Reach)
    quality: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_content(cls, products: Sequence[Product], vectors: Vectors, alike: Graph) -> Snapshot:
        """One that knows what products are, and nothing of what anybody did."""
        n, none = len(products), Graph.empty(len(products))
        return cls(
            version="",
            products=products,
            catalog_revision=n,
            vectors=vectors,
            index=None,
            embedder="",
            projection=LexicalProjection.empty(vectors.shape[1]),
            alike=alike,
            viewed=none,
            bought=none,
            sessions=SessionIndex.empty(n),
            collaborative=Collaborative.empty(n),
            blend=BlendWeights({}, {}),
        )

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.products)
