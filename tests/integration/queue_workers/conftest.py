"""A worker process over a private queue and a private database of the recommender."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from recomesh.reco.v1 import reco_service_pb2

from meshkit.broker.open import open_broker
from meshkit.broker.port import Broker
from tests.support.fake_services import FakeMesh, FakeReco, serving
from tests.support.processes import private_env, running, settings_of, wait_until


class Workers:
    """The workers of one home folder: started and killed as often as a test likes."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.log = folder / "workers.log"
        self.env = private_env(folder / "home", **{"worker_embedder": "lsa", **settings})
        self.settings = settings_of(self.env)
        self.url = f"http://127.0.0.1:{self.settings.worker_port}"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        with running("queue_workers", env=self.env, log=self.log) as process:
            wait_until(lambda: self._ready(process), within_s=60, what=f"readyz; see {self.log}")
            yield process

    def embedder(self) -> str:
        status = self._answer("/status")
        return "" if status is None else status.json()["embedder"]

    def topic(self, name: str) -> Mapping[str, Any]:
        status = self._answer("/status")
        return {} if status is None else status.json()["topics"][name]

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics").text

    def rows(self, sql: str) -> list[Any]:
        """Of the recommender's database; none before it is there."""
        database = sqlite3.connect(f"file:{self.folder}/home/reco.db?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            database.close()

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log.read_text()
        return self._answer("/readyz") is not None

    def _answer(self, path: str) -> httpx.Response | None:
        try:
            answer = httpx.get(f"{self.url}{path}", timeout=5)
        except httpx.HTTPError:
            return None
        return answer if answer.status_code == 200 else None


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    return Workers(tmp_path)


@pytest.fixture
def queue(workers: Workers) -> Iterator[Broker]:
    broker = open_broker(workers.settings.sqlite_url("queue.db"))
    yield broker
    broker.close()


class ErasingReco(FakeReco):
    """Remembers whom it was asked to forget."""

    def __init__(self) -> None:
        super().__init__()
        self.erased: list[str] = []

    async def EraseVisitor(self, request, context):  # type: ignore[no-untyped-def]
        await self.trouble.happen()
        self.erased.append(request.visitor_id)
        return reco_service_pb2.EraseVisitorResponse(erased={"session": 1})


@pytest.fixture
def mesh() -> Iterator[FakeMesh]:
    """Catalog and recommender, served by a thread of this process."""
    fakes, begun, stop = FakeMesh(reco=ErasingReco()), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(fakes):
            begun.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert begun.wait(20)
    yield fakes
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


@pytest.fixture
def connected(tmp_path: Path, mesh: FakeMesh) -> Workers:
    """Workers that find catalog and recommender, and embed with the language model where it is installed."""
    targets = {f"{name}_target": target for name, target in mesh.targets.items()}
    return Workers(tmp_path, worker_embedder="auto", **targets)
