"""Small stand-ins for what the recommender learns, and a shop to ask about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from meshkit.errors import Unavailable
from reco_svc.domain.blend import BlendWeights, blend
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import Product, RuleSet, SessionStep, Strategy
from reco_svc.domain.pipeline import Pipeline
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import Mask, ReadSessions
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.question import Question
from reco_svc.domain.ranking import Ranker
from reco_svc.domain.snapshot import Collaborative, Graph, SessionIndex, Snapshot
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class FakeSource:
    """Proposes fixed products with fixed scores, those that are allowed, best first. Remembers its questions."""

    def __init__(self, name: str, scores: Mapping[str, float], *, reason: str = "", evidence: str = "") -> None:
        self.name = name
        self.reason = reason or f"{name}_says"
        self._scores = scores
        self._evidence = evidence
        self.questions: list[Question] = []

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        self.questions.append(question)
        known = ((view.products.row(id_), score) for id_, score in self._scores.items())
        usable = [(row, score) for row, score in known if row >= 0 and allowed[row]]
        usable.sort(key=lambda pair: (-pair[1], view.products.id(pair[0])))
        rows = np.array([row for row, _ in usable[:k]], np.int64)
        scores = np.array([score for _, score in usable[:k]], np.float32)
        return Candidates(rows, scores, np.full(len(rows), view.products.row(self._evidence), np.int64))


def product(product_id: str, **facts: object) -> Product:
    """A product with a title; `facts` are fields of Product."""
    return Product(**{"product_id": product_id, "title": f"Title of {product_id}", **facts})  # type: ignore[arg-type]


def view_of(*products: Product, rules: RuleSet | None = None, dim: int = 4) -> View:
    """A view of a shop without a model; each product has a vector of its own direction."""
    table, vectors = ProductTable(), VectorSpace.empty(dim)
    table.load(products, 1)
    for row in range(len(products)):
        vectors.set(row, np.eye(dim, dtype=np.float32)[row % dim])
    return View(table, vectors, Popularity(), None, rules or RuleSet())


def pipeline_of(*sources: FakeSource, fallbacks: Sequence[FakeSource] = ()) -> Pipeline:
    """A pipeline in which every strategy asks `sources`, then each of `fallbacks`."""
    by_name = {source.name: source for source in (*sources, *fallbacks)}
    own = dict.fromkeys(Strategy, tuple(source.name for source in sources))
    chain = dict.fromkeys(Strategy, tuple(source.name for source in fallbacks))
    return Pipeline(Ranker(by_name, own, chain, blend))


def snapshot_of(*products: Product, version: str = "m1", revision: int = 10, dim: int = 4) -> Snapshot:
    """A trained snapshot that learned nothing but vectors; its projection knows the words mug, cup, pot and pan."""
    n = len(products)
    return Snapshot(
        version=version,
        products=products,
        catalog_revision=revision,
        vectors=np.eye(dim, dtype=np.float32)[np.arange(n) % dim].reshape(n, dim),
        index=None,
        embedder="fake",
        projection=LexicalProjection({"mug": 0, "cup": 1, "pot": 2, "pan": 3}, np.eye(4, dim, dtype=np.float32)),
        alike=Graph.empty(n),
        viewed=Graph.empty(n),
        bought=Graph.empty(n),
        sessions=SessionIndex.empty(n),
        collaborative=Collaborative.empty(n),
        blend=BlendWeights({}, {}),
    )


class FakeSessionStore:
    """Sessions that never end; `away` makes every call fail."""

    def __init__(self) -> None:
        self.away = False
        self.reads = 0
        self._steps: dict[str, list[SessionStep]] = {}

    def append(self, steps: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        for visitor_id, mine in steps.items():
            self._steps.setdefault(visitor_id, []).extend(mine)

    async def read(self, visitor_ids: Collection[str], now: datetime) -> ReadSessions:
        self.reads += 1
        if self.away:
            raise Unavailable("sessions")
        return ReadSessions({i: self._steps[i] for i in visitor_ids if i in self._steps})

    def is_blank(self) -> bool:
        return False

    def restore(self, sessions: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        self._steps.update((visitor_id, list(steps)) for visitor_id, steps in sessions.items())

    def erase(self, visitor_id: str) -> int:
        return len(self._steps.pop(visitor_id, []))
