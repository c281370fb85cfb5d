"""Any process may be killed while events come in: what was answered 202 is in the log, once."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from bench.mesh import Mesh, private_mesh
from tests.support.processes import wait_until

PROCESSES = ("edge", "reco_svc", "queue_workers", "catalog_svc", "profile_svc")
RECOVER_S = 120.0


@pytest.fixture
def own_mesh(tmp_path: Path) -> Iterator[Mesh]:
    with private_mesh(tmp_path, worker_embedder="lsa") as mesh:
        yield mesh


class _Sender:
    """Sends one event after the other, remembers the ids that were answered 202 and accepted."""

    def __init__(self, port: int) -> None:
        self.acknowledged: list[str] = []
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.wait(0.002):
                return
            event = {"event_id": f"e-{number}", "type": "view_item", "visitor_id": "v", "product_id": f"p{number % 50}"}
            try:
                answer = self._client.post("/v1/events", json={"events": [event]})
            except httpx.HTTPError:
                continue
            if answer.status_code == 202:
                self.acknowledged.append(event["event_id"])

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()


def _pid(mesh: Mesh, module: str) -> int:
    for child in psutil.Process(mesh.pid).children():
        words = child.cmdline()
        if "-m" in words and words[words.index("-m") + 1] == module:
            return child.pid
    return 0


def _restarted(mesh: Mesh, module: str, killed: int) -> bool:
    try:
        return _pid(mesh, module) not in (0, killed)
    except psutil.Error:
        return False


def test_every_acknowledged_event_is_in_the_log_once_whatever_process_is_killed(own_mesh: Mesh) -> None:
    sender = _Sender(own_mesh.port)
    try:
        for module in PROCESSES:
            before = len(sender.acknowledged)
            wait_until(lambda: len(sender.acknowledged) >= before + 30, within_s=RECOVER_S, what="events before")  # noqa: B023
            killed = _pid(own_mesh, module)
            psutil.Process(killed).kill()
            wait_until(lambda: _restarted(own_mesh, module, killed), within_s=RECOVER_S, what=module)  # noqa: B023
        before = len(sender.acknowledged)
        wait_until(lambda: len(sender.acknowledged) >= before + 30, within_s=RECOVER_S, what="events after all")
    finally:
        sender.stop()

    def logged() -> list[str]:
        with sqlite3.connect(f"file:{own_mesh.settings.home}/reco.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT event_id FROM reco_interaction").fetchall()
        database.close()
        return [event_id for (event_id,) in rows]

    wait_until(lambda: set(sender.acknowledged) <= set(logged()), within_s=RECOVER_S, what="all events in the log")
    assert len(logged()) == len(set(logged()))
