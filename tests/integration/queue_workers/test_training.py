"""Training runs by real workers: progress and outcome in the run, a snapshot that is active."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from meshkit.broker.open import open_broker
from meshkit.broker.port import Message
from meshkit.topics import INTERACTIONS, TRAIN
from reco_svc.domain.model import EventType, Interaction, TrainingState
from reco_svc.service.interaction_codec import to_dict
from tests.support.fake_services import Trouble, product
from tests.support.processes import wait_until

START = datetime(2026, 1, 31, 8, tzinfo=UTC)
ASK = """
import sys
from pathlib import Path
from meshkit.broker.open import open_broker
from reco_svc.adapters import django_setup
from reco_svc.adapters.directory_snapshot_store import open_snapshots
from reco_svc.adapters.django_model_registry import DjangoModelRegistry
from reco_svc.service.models import Models
home = Path(sys.argv[1])
django_setup.configure(f"sqlite:///{home}/reco.db", home)
broker = open_broker(f"sqlite:///{home}/queue.db")
models = Models(DjangoModelRegistry(), open_snapshots(f"file://{home}/snapshots"), broker)
print(models.train("asked by a test").run_id)
broker.close()
"""


@pytest.fixture
def lexical(connected):
    connected.env["RECOMESH_WORKER_EMBEDDER"] = "lsa"
    return connected


@pytest.fixture
def queue(lexical):
    broker = open_broker(lexical.settings.sqlite_url("queue.db"))
    yield broker
    broker.close()


def _ask(workers) -> str:
    command = [sys.executable, "-c", ASK, str(workers.folder / "home")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def _run(workers, run_id: str) -> tuple[int, str, str]:
    sql = f"SELECT state, message, model_version FROM reco_training_run WHERE run_id = '{run_id}'"
    return workers.rows(sql)[0]


def _ended(workers, run_id: str) -> bool:
    return _run(workers, run_id)[0] in (TrainingState.SUCCEEDED, TrainingState.FAILED)


def _visits() -> Message:
    events = [
        Interaction(
            f"e{v}-{s}", EventType.VIEW_ITEM, f"v{v}", f"p{(v + s) % 20}", START + timedelta(minutes=60 * v + s)
        )
        for v in range(100)
        for s in range(4)
    ]
    return Message(INTERACTIONS, orjson.dumps({"events": [to_dict(e) for e in events]}))


def test_a_run_ends_with_an_active_snapshot(lexical, mesh, queue) -> None:
    for number in range(20):
        mesh.catalog.put(product(f"p{number}", title=f"Chef knife number {number}"))
    queue.publish([_visits()])
    with lexical.running():
        wait_until(lambda: queue.depth(INTERACTIONS) == 0, what="events written")
        run_id = _ask(lexical)
        wait_until(lambda: _ended(lexical, run_id), within_s=180, what="the end of the run")
        wait_until(lambda: queue.depth(TRAIN) == 0, what="an empty queue")
        state, message, version = _run(lexical, run_id)
    assert state == TrainingState.SUCCEEDED, message
    assert version
    assert (lexical.folder / "home/snapshots/ACTIVE").read_text().strip() == version


def test_a_worker_that_stops_leaves_its_run_to_the_next(lexical, mesh, queue) -> None:
    mesh.catalog.put(product("p1", title="Chef knife"))
    mesh.catalog.trouble = Trouble(delay_s=20)  # longer than the worker drains
    lexical.env["RECOMESH_DRAIN_S"] = "1"
    with lexical.running() as process:
        run_id = _ask(lexical)
        wait_until(lambda: "ListChanges" in mesh.catalog.calls, what="a training that reads the catalog")
        process.terminate()
        assert process.wait(20) == 0
    assert _run(lexical, run_id)[0] == TrainingState.QUEUED
    mesh.back("catalog")
    with lexical.running():
        wait_until(lambda: _ended(lexical, run_id), within_s=50, what="the end of the run")
    state, message, _ = _run(lexical, run_id)
    assert state == TrainingState.SUCCEEDED, message


def test_a_training_that_fails_says_why_in_its_run(lexical, mesh, queue) -> None:
    mesh.away("catalog")
    with lexical.running():
        run_id = _ask(lexical)
        wait_until(lambda: _ended(lexical, run_id), within_s=180, what="the end of the run")
        wait_until(lambda: queue.depth(TRAIN) == 0, what="an empty queue")
    state, message, _ = _run(lexical, run_id)
    assert state == TrainingState.FAILED
    assert "catalog" in message
    assert queue.dead_letter_count(TRAIN) == 0
