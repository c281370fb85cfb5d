"""Training through its use case: the same log gives the same bytes; what events count, changes what is learned."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest

from meshkit.settings import MeshSettings
from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore
from reco_svc.adapters.embedder_choice import open_embedder
from reco_svc.adapters.memory_training import MemoryEmbeddings, MemoryRegistry
from reco_svc.adapters.snapshot_workshop import SnapshotWorkshop
from reco_svc.domain.model import EventType, Product
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.ports import InteractionColumns
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources.collaborative import fitting
from reco_svc.evaluation import task_of_folder
from reco_svc.service.evaluation_task import EvaluationTask, TaskCatalog, TaskLog
from reco_svc.service.train import Train, TrainSettings
from reco_svc.settings import event_weights
from tests.support.made_task import write_made_task

BEGIN_S = 1_700_000_000


def train(task: EvaluationTask, home: Path, settings: TrainSettings, now: datetime) -> tuple[Path, Snapshot]:
    store, workshop, registry = DirectorySnapshotStore(home), SnapshotWorkshop(), MemoryRegistry()
    version = Train(
        TaskCatalog(task.products),
        task.log,
        open_embedder("lsa", None).for_catalog,
        MemoryEmbeddings(),
        store,
        registry,
        workshop,
        settings,
        lambda: now,
    )(registry.begin(), lambda stage, share: None)
    folder = store.verified(version)
    return folder, workshop.load(folder, version)


def test_the_same_log_and_seed_give_the_same_bytes(tmp_path: Path):
    task = task_of_folder(write_made_task(tmp_path / "made", sessions=300))
    folders = [
        train(task, tmp_path / name, TrainSettings(seed=4), datetime(year, 1, 1, tzinfo=UTC))[0]
        for name, year in (("a", 2026), ("b", 2027))
    ]
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    assert names[0] == names[1]
    for name in set(names[0]) - {"manifest.json"}:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    one, two = (orjson.loads((folder / "manifest.json").read_bytes()) for folder in folders)
    assert {name for name in one if one[name] != two[name]} <= {"version", "created_at_s"}


def shop(events: Sequence[tuple[str, str, EventType]]) -> EvaluationTask:
    """Events a minute apart, a session for each visitor."""
    columns = InteractionColumns(
        [visitor for visitor, _, _ in events],
        [visitor for visitor, _, _ in events],
        [""] * len(events),
        [product for _, product, _ in events],
        np.array([int(kind) for _, _, kind in events], np.int8),
        BEGIN_S + 60 * np.arange(len(events), dtype=np.int64),
        np.ones(len(events), np.int32),
        np.full(len(events), np.nan, np.float32),
    )
    products = [Product(f"p{n}", f"Thing {n}") for n in range(6)]
    return EvaluationTask("planted", products, TaskLog(columns), ())


def planted(*, refunded: bool = False) -> EvaluationTask:
    """All have p0; half look at p1 beside it, half buy p2 beside it, and perhaps send it back. Some have p4 and p5."""
    events: list[tuple[str, str, EventType]] = []
    for at in range(40):
        visitor = f"v{at:02d}"
        events.append((visitor, "p0", EventType.PURCHASE))
        if at % 2:
            events.append((visitor, "p1", EventType.VIEW_ITEM))
        else:
            events.append((visitor, "p2", EventType.PURCHASE))
            if refunded:
                events.append((visitor, "p2", EventType.REFUND))
        events += [(f"w{at:02d}", "p4", EventType.VIEW_ITEM), (f"w{at:02d}", "p5", EventType.VIEW_ITEM)]
    return shop(events)


@pytest.mark.parametrize(
    ("changed", "refunded", "best"),
    [
        ({}, False, ["p2", "p1"]),
        ({EventType.VIEW_ITEM: 20.0}, False, ["p1", "p2"]),
        ({EventType.VIEW_ITEM: 0.0}, False, ["p2"]),
        ({}, True, ["p1"]),
        ({EventType.REFUND: 0.0}, True, ["p2", "p1"]),
    ],
)
def test_what_events_count_changes_what_fits_a_history(
    tmp_path: Path, changed: Mapping[EventType, float], refunded: bool, best: Sequence[str]
):
    settings = TrainSettings(event_weights={**DEFAULT_WEIGHTS, **changed})
    _, snapshot = train(planted(refunded=refunded), tmp_path, settings, datetime(2026, 1, 1, tzinfo=UTC))
    rows, scores, _ = fitting(snapshot.collaborative, np.array([0]), np.ones(1, np.float32))
    found = [snapshot.products[row].product_id for row in rows[np.argsort(-scores)].tolist()]
    assert found == list(best)


def test_settings_say_what_events_count():
    weights = event_weights(MeshSettings(weight_view=0.5, weight_refund=-9.0))
    assert weights[EventType.VIEW_ITEM] == weights[EventType.SELECT_ITEM] == 0.5
    assert weights[EventType.REFUND] == -9.0
    assert event_weights(MeshSettings()) == DEFAULT_WEIGHTS
