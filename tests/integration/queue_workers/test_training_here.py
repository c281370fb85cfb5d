"""`recomesh train --engine`: a run carried out in the process that asked."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from reco_svc.adapters.snapshot_files import load_snapshot
from reco_svc.domain.snapshot import Snapshot
from tests.support.fake_services import product

START = datetime(2026, 1, 31, 8, tzinfo=UTC)
HERE = """
import sys
from datetime import datetime, timedelta
from meshkit.settings import load
from queue_workers.settings import WorkerSettings
from queue_workers.training import training_here
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.domain.model import EventType, Interaction
begin = datetime.fromisoformat(sys.argv[2])
def event(v, s):
    kind = EventType.PURCHASE if s > 1 else EventType.VIEW_ITEM
    at, order = begin + timedelta(minutes=60 * v + s), f"o{v}" if s > 1 else ""
    return Interaction(f"e{v}-{s}", kind, f"v{v % 60}", f"p{(v * 3 + s * s) % 20}", at, order_id=order)
events = [event(v, s) for v in range(120) for s in range(5)]
with training_here(load(WorkerSettings), sys.argv[1], lambda stage, share: None) as (registry, carry_out):
    DjangoInteractionLog().append(events)
    run, new = registry.start_run("here", True)
    carry_out(run.run_id)
    done = registry.run(run.run_id)
    print(new, done.state.name, done.model_version, done.message)
"""


def trained(workers, engine: str) -> tuple[Snapshot, dict[str, object]]:
    command = [sys.executable, "-c", HERE, engine, START.isoformat()]
    env = {**os.environ, **workers.env, "RECOMESH_WORKER_SPARK_MASTER": "local[2]"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, env=env)
    told = done.stdout.strip().splitlines()  # the log, then the outcome
    assert told, done.stderr
    new, state, version = told[-1].split(maxsplit=3)[:3]
    assert (new, state) == ("True", "SUCCEEDED"), (told, done.stderr)
    folder = workers.folder / "home/snapshots" / version
    assert (workers.folder / "home/snapshots/ACTIVE").read_text().strip() == version
    return load_snapshot(folder, version), json.loads((folder / "manifest.json").read_text())["parameters"]


@pytest.fixture
def workers_of_a_shop(connected, mesh):
    connected.env["RECOMESH_WORKER_EMBEDDER"] = "lsa"
    for number in range(20):
        mesh.catalog.put(product(f"p{number}", title=f"Chef knife number {number}"))
    return connected


def test_a_model_is_trained_and_activated_in_this_process(workers_of_a_shop) -> None:
    snapshot, parameters = trained(workers_of_a_shop, "local")
    assert (snapshot.facts["interactions"], parameters["engine"]) == (600.0, "local")
