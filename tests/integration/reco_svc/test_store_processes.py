"""Several processes on one database: they start at once, write at once, and die at any moment."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import wait_until

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys
from pathlib import Path
from reco_svc.adapters import django_setup
home = Path(sys.argv[1])
django_setup.configure(f"sqlite:///{home}/reco.db", home)
django_setup.migrate()
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from tests.support.reco_stores import interaction
log = DjangoInteractionLog()
for n in range(int(sys.argv[2])):
    report = log.append([interaction(f"e{n}-{k}", minute=n) for k in range(20)])
    print(n, len(report.inserted), flush=True)
"""


def _start(home: Path, batches: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}"}
    command = [sys.executable, "-c", WORKER, str(home), str(batches)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _sums(home: Path) -> tuple[int, int]:
    with sqlite3.connect(home / "reco.db") as database:
        events = database.execute("SELECT COUNT(*) FROM reco_interaction").fetchone()[0]
        counted = database.execute("SELECT SUM(events) FROM reco_hourly_count").fetchone()[0]
    database.close()
    return events, counted


def test_processes_that_start_at_once_migrate_once_and_write_each_event_once(tmp_path: Path) -> None:
    workers = [_start(tmp_path, 10) for _ in range(3)]
    inserted = 0
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err
        inserted += sum(int(line.split()[1]) for line in out.splitlines())

    assert inserted == 200
    assert _sums(tmp_path) == (200, 200)


@pytest.mark.parametrize("after_batches", [1, 7])
def test_a_writer_that_is_killed_keeps_what_it_said_and_counts_nothing_twice(
    tmp_path: Path, after_batches: int
) -> None:
    worker = _start(tmp_path, 100_000)
    assert worker.stdout is not None
    told = [worker.stdout.readline() for _ in range(after_batches)]
    worker.send_signal(signal.SIGKILL)
    told += worker.communicate(timeout=60)[0].splitlines()

    events, counted = _sums(tmp_path)
    assert events == counted
    assert events // 20 - len([line for line in told if line.strip()]) in (0, 1)

    again = _start(tmp_path, events // 20 + 5)
    assert wait_until(lambda: again.poll() is not None, within_s=120)
    again.communicate()
    assert _sums(tmp_path) == (events + 100, events + 100)
