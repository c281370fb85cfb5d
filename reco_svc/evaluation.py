"""The composition root of `recomesh evaluate`: trains on a task in a temporary folder and asks its questions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from meshkit.postgres import PostgresLimits
from meshkit.rpc.client import open_sync_channel
from meshkit.settings import MeshSettings
from reco_svc.adapters import django_setup
from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.adapters.embedder_choice import Wanted, open_embedder
from reco_svc.adapters.grpc_catalog_reader import GrpcCatalogReader
from reco_svc.adapters.memory_training import MemoryEmbeddings, MemoryRegistry
from reco_svc.adapters.snapshot_workshop import SnapshotWorkshop
from reco_svc.domain.evaluation.splitting import Split
from reco_svc.domain.ports import EmbeddingStore
from reco_svc.domain.snapshot import Snapshot
from reco_svc.service.evaluate import Evaluated, evaluate
from reco_svc.service.evaluation_folder import read_task
from reco_svc.service.evaluation_split import own_task
from reco_svc.service.evaluation_task import EvaluationTask, TaskCatalog
from reco_svc.service.train import Train, TrainSettings

Progress = Callable[[str, float], None]
TRAINING = 0.4  # of the whole time, roughly


@dataclass(frozen=True, slots=True)
class Embedding:
    """How texts are embedded; `store` keeps vectors from one evaluation to the next."""

    embedder: Wanted = "auto"
    weights: Path | None = None
    store: EmbeddingStore | None = None


def task_of_folder(folder: Path) -> EvaluationTask:
    """InvalidArgument names the file, line and field that is wrong."""
    return read_task(folder)


def task_of_own_data(settings: MeshSettings, split: Split, *, share: float = 0.1) -> EvaluationTask:
    """A temporal split of the mesh's own log and catalog. Reads only.

    Unavailable without a running catalog; FailedPrecondition (TOO_LITTLE_DATA) for too few newest sessions.
    """
    channel = open_sync_channel(settings.target("catalog"), settings.service_config)
    try:
        catalog = GrpcCatalogReader(channel)
        catalog.changes_after(0, limit=1)  # before the log is opened, which a mesh that never ran has not
        url = settings.database_url or settings.sqlite_url("reco.db")
        django_setup.configure(url, settings.home, limits=PostgresLimits.of(settings))
        django_setup.migrate()
        return own_task(catalog, DjangoInteractionLog(), split, share=share)
    finally:
        channel.close()


def evaluate_task(
    task: EvaluationTask,
    *,
    limit: int = 0,
    embedding: Embedding = Embedding(),
    progress: Progress = lambda stage, share: None,
) -> Evaluated:
    """Trains on the task's past alone and asks its questions, at most `limit` (0: all)."""
    begin = perf_counter()
    with tempfile.TemporaryDirectory(prefix="recomesh-evaluate-") as home:
        snapshot = trained_on(task, Path(home), embedding, lambda stage, share: progress(stage, TRAINING * share))
        trained = perf_counter()
        found = evaluate(
            task,
            snapshot,
            limit=limit,
            progress=lambda stage, share: progress(stage, TRAINING + (1 - TRAINING) * share),
        )
    seconds = replace(found.evaluation.task, train_s=trained - begin, ask_s=perf_counter() - trained)
    return replace(found, evaluation=replace(found.evaluation, task=seconds))


def trained_on(
    task: EvaluationTask, home: Path, embedding: Embedding, progress: Progress = lambda stage, share: None
) -> Snapshot:
    """A snapshot of the task's past, whose files lie in `home`."""
    snapshots, workshop = DirectorySnapshotStore(home), SnapshotWorkshop()
    registry = MemoryRegistry()
    train = Train(
        TaskCatalog(task.products),
        task.log,
        open_embedder(embedding.embedder, embedding.weights).for_catalog,
        embedding.store or MemoryEmbeddings(),
        snapshots,
        registry,
        workshop,
        TrainSettings(),
        lambda: datetime.now(UTC),
    )
    version = train(registry.begin(), lambda stage, share: progress(f"train: {stage}", share))
    return workshop.load(snapshots.verified(version), version)
