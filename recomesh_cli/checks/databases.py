"""What a database says of itself: a SQLite file, PostgreSQL, MongoDB."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pymongo
from pymongo.errors import PyMongoError

from meshkit.postgres import PostgresLimits, connect_options
from meshkit.settings import shown
from recomesh_cli.checks.model import Backend, Verdict

_WAIT_S = 3.0
_LIMITS = PostgresLimits(connect_s=_WAIT_S, statement_s=_WAIT_S)


def ask_database(name: str, variable: str, url: str, *, thorough: bool = False) -> Backend:
    """A SQLite file opens (and is sound, if `thorough`: that reads all of it); a server lets in, answers and takes
    writes, within a few seconds or not at all."""
    kind = url.partition(":")[0].partition("+")[0]
    if kind == "sqlite":
        return _ask_file(name, Path(url.removeprefix("sqlite:///")), thorough=thorough)
    if kind not in _SERVERS:
        trouble, fix = "no store of this kind is known", f"correct {variable}"
        return Backend(name, kind, "", shown(url), verdict=Verdict.FAIL, trouble=trouble, fix=fix)
    title, ask = _SERVERS[kind]
    began = time.perf_counter()
    try:
        version, latency_s = ask(url)
    except (PyMongoError, psycopg2.Error, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        waited = f"{reason} (after {time.perf_counter() - began:.1f} s)"
        fix = f"start it, or correct {variable}"
        return Backend(name, title, "", shown(url), verdict=Verdict.FAIL, trouble=waited, fix=fix)
    return Backend(name, title, version, shown(url), round(latency_s * 1000, 1))


def _ask_mongodb(url: str) -> tuple[str, float]:
    with pymongo.MongoClient[dict[str, Any]](url, timeoutMS=int(_WAIT_S * 1_000)) as client:
        info = client.admin.command("buildInfo")
        began = time.perf_counter()
        client.get_default_database("recomesh").command("ping")  # one that takes writes
        latency_s = time.perf_counter() - began
    ferretdb = " (FerretDB)" if "ferretdb" in str(info).lower() else ""
    return f"{info['version']}{ferretdb}", latency_s


def _ask_postgresql(url: str) -> tuple[str, float]:
    with closing(psycopg2.connect(url, **connect_options(_LIMITS))) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute("SELECT current_setting('server_version'), pg_is_in_recovery()")
        version, standby = cursor.fetchone() or ("", False)
        latency_s = time.perf_counter() - began
    if standby:
        raise ValueError(f"PostgreSQL {version} is a standby and takes no writes")
    return str(version), latency_s


def _ask_file(name: str, path: Path, *, thorough: bool) -> Backend:
    kind, version = "SQLite", sqlite3.sqlite_version
    if not path.exists():
        return Backend(name, kind, version, f"{path} (made on first start)")
    began = time.perf_counter()
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            latency_ms = round((time.perf_counter() - began) * 1000, 1)
            trouble = database.execute("PRAGMA quick_check(1)").fetchone()[0] if thorough else "ok"
    except sqlite3.Error as error:
        latency_ms, trouble = None, str(error)
    if trouble != "ok":
        fix = "put back a backup, or move the file away to begin anew"
        return Backend(name, kind, version, str(path), latency_ms, Verdict.FAIL, trouble, fix)
    parts = [file for file in (path, path.with_name(f"{path.name}-wal")) if file.exists()]  # first the log has it
    size = sum(file.stat().st_size for file in parts)
    return Backend(name, kind, version, f"{path} ({size / 1024**2:.1f} MiB)", latency_ms)


_SERVERS: dict[str, tuple[str, Callable[[str], tuple[str, float]]]] = {
    "mongodb": ("MongoDB", _ask_mongodb),
    "postgresql": ("PostgreSQL", _ask_postgresql),
}
