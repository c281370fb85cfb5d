"""The stores and the mesh of one ledger run."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from bench.mesh import Mesh, private_mesh
from meshkit import topics
from meshkit.broker.rabbit_broker import RabbitBroker
from tests.support.servers import PostgresServer, RabbitServer, RedisServer, Server, started


@dataclass(frozen=True)
class Backends:
    """What a run is made of; `servers` by name, `database` is the URL of the interaction log."""

    mesh: Mesh
    servers: dict[str, Server]
    database: str

    @property
    def rabbit_url(self) -> str:
        return self.servers["rabbit"].url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.database.startswith("sqlite:///"):
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=30)) as database:
                return database.execute(sql).fetchall()
        with closing(psycopg2.connect(self.database)) as database, database.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


@contextmanager
def backends(log: Path | None = None) -> Iterator[Backends]:
    """RabbitMQ, PostgreSQL, Redis and a mesh on them, started side by side. `log` gets a copy of the mesh's log."""
    with ExitStack() as stack:
        kinds = {"rabbit": RabbitServer, "postgres": PostgresServer, "redis": RedisServer}
        with ThreadPoolExecutor(len(kinds)) as pool:
            starting = {name: pool.submit(_started, stack, kind) for name, kind in kinds.items()}
            servers = {name: future.result() for name, future in starting.items()}
        _declare_for_good(servers["rabbit"])
        database = servers["postgres"].new_database()
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recomesh-ledger-")))
        mesh = stack.enter_context(
            private_mesh(
                home,
                broker_url=servers["rabbit"].url,
                database_url=database,
                cache_url=servers["redis"].url,
                worker_embedder="lsa",
            )
        )
        if log is not None:
            stack.callback(shutil.copy, home / "mesh.log", log)
        yield Backends(mesh, servers, database)


def _started(stack: ExitStack, kind: type[Server]) -> Server:
    return stack.enter_context(started(kind()))


def _declare_for_good(rabbit: Server) -> None:
    """RabbitMQ 3.10 forgets the leader of a queue that it has declared a moment before it is killed."""
    with closing(RabbitBroker(rabbit.url, call_s=30)) as broker:
        for topic in topics.ALL:
            broker.depth(topic)
    rabbit.shut_down()
    rabbit.start()
