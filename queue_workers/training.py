"""The composition root of training: in a worker, and in the process of `recomesh train --engine`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from meshkit.errors import FailedPrecondition
from meshkit.postgres import PostgresLimits
from meshkit.rpc.client import open_sync_channel
from meshkit.rpc.identity import mesh_identity
from queue_workers.settings import WorkerSettings
from reco_svc.adapters import django_setup, spark_engine
from reco_svc.adapters.directory_snapshot_store import open_snapshots
from reco_svc.adapters.django_embedding_store import DjangoEmbeddingStore
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.adapters.django_model_registry import DjangoModelRegistry
from reco_svc.adapters.embedder_choice import EmbedderChoice, open_embedder
from reco_svc.adapters.grpc_catalog_reader import GrpcCatalogReader
from reco_svc.adapters.snapshot_workshop import SnapshotWorkshop
from reco_svc.adapters.spark_session import SparkSettings
from reco_svc.domain.learning.engine import LearningEngine, LocalEngine
from reco_svc.domain.model import TrainingRun
from reco_svc.domain.ports import CatalogReader, EmbeddingStore, InteractionLog, ModelRegistry
from reco_svc.service.run_training import RunTraining
from reco_svc.service.train import Train, TrainSettings
from reco_svc.settings import event_weights

EngineName = Literal["local", "spark"]


def training(
    settings: WorkerSettings,
    catalog: CatalogReader,
    interactions: InteractionLog,
    embeddings: EmbeddingStore,
    embedder: EmbedderChoice,
    *,
    engine: EngineName,
    stopping: Callable[[], bool] = lambda: False,
    told: Callable[[str, float], None] = lambda stage, share: None,
) -> RunTraining:
    """Carries out training runs over these stores. `told` hears each stage and the share done, beside the registry."""
    registry = DjangoModelRegistry()
    train = Train(
        catalog=catalog,
        interactions=interactions,
        embedder=embedder.for_catalog,
        embeddings=embeddings,
        snapshots=open_snapshots(settings.snapshot_url or f"file://{settings.home.resolve() / 'snapshots'}"),
        models=registry,
        files=SnapshotWorkshop(),
        settings=TrainSettings(
            event_weights=event_weights(settings),
            quality_margin=settings.worker_quality_margin,
            near_duplicate=settings.worker_near_duplicate,
            keep_snapshots=settings.worker_keep_snapshots,
        ),
        clock=lambda: datetime.now(UTC),
        engine=_engine(settings, engine),
    )

    def training_told(run: TrainingRun, progress: Callable[[str, float], None]) -> str:
        def both(stage: str, share: float) -> None:
            told(stage, share)
            progress(stage, share)

        return train(run, both)

    return RunTraining(registry, training_told, stopping=stopping)


def prepare_database(settings: WorkerSettings) -> None:
    """Opens the tables of the recommender, and brings them up to date."""
    url = settings.database_url or settings.sqlite_url("reco.db")
    django_setup.configure(url, settings.home, limits=PostgresLimits.of(settings))
    django_setup.migrate()


@contextmanager
def training_here(
    settings: WorkerSettings, engine: EngineName, told: Callable[[str, float], None]
) -> Iterator[tuple[ModelRegistry, RunTraining]]:
    """The registry of runs, and what carries them out in this process, over the stores of the mesh.

    FailedPrecondition (ENGINE_MISSING) when the engine is not installed here; Unavailable without a running catalog.
    """
    if engine == "spark" and (problem := spark_engine.missing()):
        raise FailedPrecondition(f"training on Spark: {problem}; {spark_engine.FIX}", reason="ENGINE_MISSING")
    channel = open_sync_channel(settings.target("catalog"), settings.service_config, mesh_identity(settings, "workers"))
    try:
        catalog = GrpcCatalogReader(channel)
        catalog.changes_after(0, limit=1)  # before the database, which a mesh that never ran has not
        prepare_database(settings)
        embedder = open_embedder(settings.worker_embedder, settings.worker_weights)
        log, embeddings = DjangoInteractionLog(), DjangoEmbeddingStore()
        yield DjangoModelRegistry(), training(settings, catalog, log, embeddings, embedder, engine=engine, told=told)
    finally:
        channel.close()


def _engine(settings: WorkerSettings, name: EngineName) -> LearningEngine:
    if name == "local":
        return LocalEngine()
    return spark_engine.SparkEngine(
        SparkSettings(settings.worker_spark_master, settings.worker_spark_folder, settings.worker_spark_memory)
    )
