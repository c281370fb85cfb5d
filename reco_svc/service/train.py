"""Use case: train a snapshot from catalog and log, prove it on a validation cut, publish and activate it.

What is learned is learned twice: once from all but the newest sessions, to measure quality and to learn the blend
weights on those that were held back, and once from everything, to be published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from meshkit.errors import FailedPrecondition
from reco_svc.domain.learning.content import content_graph
from reco_svc.domain.learning.engine import LearningEngine, LocalEngine, LogFacts, ReadLog
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.fields import choose_fields
from reco_svc.domain.learning.learned import Learned
from reco_svc.domain.learning.projection import fit_projection
from reco_svc.domain.learning.proving import Proof, prove
from reco_svc.domain.learning.shop import Shop
from reco_svc.domain.learning.showing import learned_reach
from reco_svc.domain.learning.twins import NEAR, near_duplicates
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import EventType, Model, Product, TrainingRun
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.ports import (
    CatalogReader,
    Embedder,
    EmbeddingStore,
    InteractionLog,
    ModelRegistry,
    SnapshotStore,
    VectorIndex,
    Vectors,
)
from reco_svc.domain.product_text import product_text
from reco_svc.domain.reach import Reach
from reco_svc.domain.snapshot import Graph, Snapshot
from reco_svc.service.embed_texts import embed_texts
from reco_svc.service.stopwatch import Stopwatch

log = structlog.get_logger()
GATE = "auto/ndcg@10"


class SnapshotFiles(Protocol):
    """Makes, writes and reads the files of a snapshot."""

    def build_index(self, vectors: Vectors) -> tuple[VectorIndex | None, float]:
        """An index over (n, dim) vectors, None where an exact scan serves, and its recall@10 against that scan."""
        ...

    def save(self, snapshot: Snapshot, folder: Path) -> None:
        """Writes all files."""
        ...

    def load(self, folder: Path, version: str) -> Snapshot:
        """Reads them, or fails."""
        ...


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """`quality_margin` is the share of NDCG@10 that a model may lose against the active one and still be activated;
    `near_duplicate` the cosine from which two products under nearly one title are near-duplicates, above 1 for never.
    """

    event_weights: Mapping[EventType, float] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    quality_margin: float = 0.1
    near_duplicate: float = NEAR
    keep_snapshots: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Material:
    """What a training reads."""

    products: Sequence[Product]
    catalog_revision: int
    embedder: str
    vectors: Vectors
    index: VectorIndex | None
    index_recall: float
    projection: LexicalProjection
    fields: Sequence[str]
    alike: Graph
    log: ReadLog

    @property
    def events(self) -> LearningEvents:
        """Those on which parameters are chosen."""
        return self.log.newest

    @property
    def facts(self) -> LogFacts:
        """Of the whole log."""
        return self.log.facts


class Train:
    """Trains when called. `embedder` gives the embedder for a catalog of these texts; `engine` counts what the log
    says."""

    def __init__(
        self,
        catalog: CatalogReader,
        interactions: InteractionLog,
        embedder: Callable[[Sequence[str]], Embedder],
        embeddings: EmbeddingStore,
        snapshots: SnapshotStore,
        models: ModelRegistry,
        files: SnapshotFiles,
        settings: TrainSettings,
        clock: Callable[[], datetime],
        engine: LearningEngine | None = None,
    ) -> None:
        self._catalog = catalog
        self._interactions = interactions
        self._embedder = embedder
        self._embeddings = embeddings
        self._snapshots = snapshots
        self._models = models
        self._files = files
        self._settings = settings
        self._clock = clock
        self._engine = engine or LocalEngine()

    def __call__(self, run: TrainingRun, progress: Callable[[str, float], None]) -> str:
        """The version of the new model, which is active.

        FailedPrecondition (QUALITY_FELL) when it is so much worse than the active one that it was published but not
        activated, unless `run.force`. Either way the run in the registry has the seconds of each stage, the peak memory
        and a summary.
        """
        watch = Stopwatch(progress)
        parent = self._snapshots.active()
        with ExitStack() as until_learned:
            material = self._read(watch, until_learned)
            proof, learned, reach = self._learn(material, watch)
        with watch.stage("write", 0.92):
            version = self._publish(material, learned, proof, reach, parent)
        with watch.stage("activate", 0.97):
            self._record(version, parent, watch)
            fell = "" if run.force else self._fell(proof, parent)
            if not fell:
                self._snapshots.activate(version)
                self._models.set_active(version)
                self._snapshots.prune(self._settings.keep_snapshots)
        self._tell(run, version, material, proof, watch)
        if fell:
            raise FailedPrecondition(f"model {version} is not activated: {fell}", reason="QUALITY_FELL")
        return version

    def _read(self, watch: Stopwatch, stack: ExitStack) -> _Material:
        with watch.stage("read catalog", 0.0):
            products, revision = self._products()
        texts = [product_text(product) for product in products]
        with watch.stage("embed", 0.02):
            embedder = self._embedder(texts)
            vectors = embed_texts(texts, embedder, self._embeddings, lambda share: watch.within(0.02 + 0.38 * share))
        with watch.stage("index", 0.4):
            index, recall = self._files.build_index(vectors)
            projection = fit_projection(texts, vectors)
        with watch.stage("read log", 0.45):
            rows = {product.product_id: row for row, product in enumerate(products)}
            read = self._engine.read(
                self._interactions.scan(), lambda id_: rows.get(id_, -1), self._settings.event_weights, len(products)
            )
            events = stack.enter_context(read)
        with watch.stage("likeness", 0.48):
            fields = choose_fields(products, vectors, events.newest, seed=self._settings.seed)
            told = [product_text(product, fields) for product in products]
            alike = content_graph(told, vectors, events.facts.had)
        return _Material(products, revision, embedder.name, vectors, index, recall, projection, fields, alike, events)

    def _products(self) -> tuple[list[Product], int]:
        """Every product in order of its id, so that the same catalog gives the same rows."""
        found: dict[str, Product] = {}
        revision, more = 0, True
        while more:
            changes, revision, more = self._catalog.changes_after(revision)
            for change in changes:
                if change.product is None:
                    found.pop(change.product_id, None)
                else:
                    found[change.product_id] = change.product
        return [found[id_] for id_ in sorted(found)], revision

    def _learn(self, material: _Material, watch: Stopwatch) -> tuple[Proof, Learned, Reach]:
        with watch.stage("validate", 0.5):
            shop = Shop.of(material.products, material.vectors, material.index, material.alike)
            proof = prove(shop, material.events, seed=self._settings.seed)
        with watch.stage("learn", 0.8):
            learned = material.log.learn(shop.n, proof.lesson)
        with watch.stage("reach", 0.9):
            reach = learned_reach(shop, material.events, learned, proof)
        return proof, learned, reach

    def _publish(self, material: _Material, learned: Learned, proof: Proof, reach: Reach, parent: str) -> str:
        titles = [product.title for product in material.products]
        twins = near_duplicates(titles, material.vectors, learned.bought, self._settings.near_duplicate)
        snapshot = Snapshot(
            version="",
            products=material.products,
            catalog_revision=material.catalog_revision,
            vectors=material.vectors,
            index=material.index,
            embedder=material.embedder,
            projection=material.projection,
            alike=material.alike,
            viewed=learned.viewed,
            bought=learned.bought,
            sessions=learned.sessions,
            collaborative=learned.collaborative,
            blend=proof.blend,
            fading=proof.fading,
            twins=twins,
            spread=proof.spread,
            reach=reach,
            quality=proof.quality,
            facts=_facts(material, learned, proof, int((twins >= 0).sum())),
        )
        folder = self._snapshots.new()
        self._files.save(snapshot, folder)
        events = material.facts
        window = [events.oldest_s, events.newest_s] if events.events else []
        return self._snapshots.publish(
            folder,
            {
                "parent": parent,
                "embedder": material.embedder,
                "dim": int(material.vectors.shape[1]),
                "catalog_revision": material.catalog_revision,
                "data_window_s": window,
                "parameters": {
                    **asdict(proof.lesson),
                    "seed": self._settings.seed,
                    "engine": self._engine.name,
                    "fields": list(material.fields),
                    "event_weights": {t.name.lower(): w for t, w in self._settings.event_weights.items()},
                },
                "quality": dict(proof.quality),
            },
        )

    def _record(self, version: str, parent: str, watch: Stopwatch) -> None:
        """Adds the model to the registry once it was read back from its files."""
        folder = self._snapshots.verified(version)
        snapshot = self._files.load(folder, version)
        size = sum(path.stat().st_size for path in folder.iterdir())
        self._models.add_model(
            Model(
                version=version,
                created_at=self._clock(),
                active=False,
                facts={**snapshot.facts, "bytes": float(size), "seconds": watch.facts()["total_s"]},
                quality=snapshot.quality,
                embedder=snapshot.embedder,
                parent=parent,
            )
        )

    def _fell(self, proof: Proof, parent: str) -> str:
        """Why the new model must not answer; "" when it may. What was not measured is no reason."""
        before = self._models.model(parent) if parent else None
        old, new = (before.quality.get(GATE) if before else None), proof.quality.get(GATE)
        if old is None or new is None or new >= old * (1.0 - self._settings.quality_margin):
            return ""
        margin = self._settings.quality_margin
        return f"its {GATE} is {new:.4f}, that of {parent} is {old:.4f}: more than {margin:.0%} less"

    def _tell(self, run: TrainingRun, version: str, material: _Material, proof: Proof, watch: Stopwatch) -> None:
        facts = watch.facts()
        best = proof.quality.get(GATE)
        quality = f", {GATE} {best:.4f}" if best is not None else ", too little data to measure quality"
        learned = f"{len(material.products):,} products, {material.facts.events:,} interactions, {material.embedder}"
        message = f"{learned}{quality}; {facts['total_s']:.0f} s, {facts['peak_rss_mb']:.0f} MB"
        log.info("trained", version=version, summary=message)
        present = self._models.run(run.run_id)
        if present is not None:
            self._models.update_run(replace(present, message=message, facts={**present.facts, **facts}))


def _facts(material: _Material, learned: Learned, proof: Proof, twins: int) -> dict[str, float]:
    """What a snapshot tells of itself in numbers."""
    events = material.facts
    return {
        "products": float(len(material.products)),
        "interactions": float(events.events),
        "visitors": float(events.visitors),
        "sessions": float(learned.sessions.count),
        "dimensions": float(material.vectors.shape[1]),
        "near_duplicates": float(twins),
        "index_recall": round(material.index_recall, 4),
        "questions": float(proof.questions),
        "half_life_days": proof.lesson.half_life_days,
        "newest_event_s": float(events.newest_s),
    }
