"""A real server that speaks MongoDB's wire protocol: mongod when it is on the PATH, else FerretDB over PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import pymongo
import pytest

from tests.support.ferretdb_program import ferretdb_program
from tests.support.servers import PostgresServer, Server, program


class MongoServer(Server):
    """One server with as many databases as are asked for. FerretDB keeps its data in a database of `postgres`."""

    def __init__(self, postgres: PostgresServer) -> None:
        self.mongod = shutil.which("mongod")
        self._program = self.mongod or _ferretdb()
        super().__init__()
        self._postgres_url = "" if self.mongod else postgres.new_database()
        self._databases = 0

    @property
    def url(self) -> str:
        return self._url("recomesh")

    def new_database(self) -> str:
        """URL of an empty database of its own."""
        self._databases += 1
        return self._url(f"test_{self._databases}")

    def command(self) -> Sequence[str]:
        if self.mongod is None:
            return [self._program, f"127.0.0.1:{self.port}", self._postgres_url]
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return [self._program, "--dbpath", str(data), "--port", str(self.port), "--bind_ip", "127.0.0.1"]

    def ping(self) -> None:
        with pymongo.MongoClient[dict[str, object]](self.url, timeoutMS=3_000) as client:
            client.admin.command("ping")

    def _url(self, database: str) -> str:
        return f"mongodb://127.0.0.1:{self.port}/{database}"


def _ferretdb() -> str:
    go = program("go", "golang-go", "/usr/local/go/bin")
    try:
        return str(ferretdb_program(go))
    except RuntimeError as error:
        if os.environ.get("TESTS_REQUIRE_SERVERS"):
            raise
        pytest.skip(str(error))
