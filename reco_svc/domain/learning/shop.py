"""A catalog of which what was learned is asked before there is a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reco_svc.domain.blend import BlendWeights
from reco_svc.domain.fading import Fading
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.learned import Learned
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Product, RuleSet
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import VectorIndex, Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.snapshot import Graph, Snapshot
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View


@dataclass(frozen=True, slots=True)
class Shop:
    """What training reads of a catalog of n products, its rows in their order."""

    table: ProductTable
    space: VectorSpace
    alike: Graph

    @classmethod
    def of(cls, products: Sequence[Product], vectors: Vectors, index: VectorIndex | None, alike: Graph) -> Shop:
        """`vectors` (n, dim), with an index over them if there is one; `alike` as in Snapshot."""
        table = ProductTable()
        table.load(products, 0)
        return cls(table, VectorSpace(vectors, index), alike)

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.table)

    def popularity(self, events: LearningEvents) -> Popularity:
        """Of some events."""
        return Popularity.of_events(events.row, events.at_s, events.weight, self.n)

    def view(self, popularity: Popularity, learned: Learned, fading: Fading, *, spread: float = 0.0) -> View:
        """What was learned, as sources ask it."""
        snapshot = Snapshot(
            version="",
            products=range(self.n),  # type: ignore[arg-type]  # only their number is read
            catalog_revision=0,
            vectors=np.empty((0, self.space.dim), np.float32),
            index=None,
            embedder="",
            projection=LexicalProjection.empty(self.space.dim),
            alike=self.alike,
            viewed=learned.viewed,
            bought=learned.bought,
            sessions=learned.sessions,
            collaborative=learned.collaborative,
            blend=BlendWeights({}, {}),
            fading=fading,
            spread=spread,
        )
        return View(self.table, self.space, popularity, snapshot, RuleSet())
