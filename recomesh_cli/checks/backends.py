"""Every store behind the mesh: catalog, databases, keys, queue, cache, snapshots; embedded ones too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from meshkit.settings import MeshSettings
from recomesh_cli.checks.databases import ask_database
from recomesh_cli.checks.model import Backend, Verdict
from recomesh_cli.checks.queue import ask_rabbit
from recomesh_cli.checks.redis import ask_redis


def ask_backends(settings: MeshSettings, *, thorough: bool = False) -> Sequence[Backend]:
    """All of them at once, in the order people read them; an absent or frozen one costs a few seconds, no more.

    `thorough` reads whole SQLite files to see whether they are sound.
    """
    questions = _questions(settings, thorough=thorough)
    with ThreadPoolExecutor(len(questions)) as threads:
        return list(threads.map(lambda ask: ask(), questions))


def _questions(settings: MeshSettings, *, thorough: bool) -> Sequence[Callable[[], Backend]]:
    def database(name: str, field: str, file: str) -> Callable[[], Backend]:
        url = getattr(settings, field) or settings.sqlite_url(file)
        return partial(ask_database, name, f"RECOMESH_{field.upper()}", url, thorough=thorough)

    amqp = settings.queue_url.startswith("amqp")
    return [
        database("catalog store", "catalog_url", "catalog.db"),
        database("database", "database_url", "reco.db"),
        *([] if settings.database_url else [database("profile database", "database_url", "profile.db")]),
        database("keys", "keys_url", "keys.db"),
        partial(ask_rabbit, settings) if amqp else database("queue", "broker_url", "queue.db"),
        partial(ask_redis, settings.cache_url),
        partial(_ask_snapshots, settings),
    ]


def _ask_snapshots(settings: MeshSettings) -> Backend:
    place = settings.snapshot_url.removeprefix("file://") or str(settings.home.resolve() / "snapshots")
    name, kind, folder = "snapshots", "folder", Path(place)
    if not folder.exists():
        return Backend(name, kind, "", f"{place} (made on first start)")
    began = time.perf_counter()
    try:
        os.scandir(folder).close()
        trouble = "" if os.access(folder, os.W_OK) else "can not be written"
    except OSError as error:
        trouble = error.strerror or type(error).__name__
    if trouble:
        fix = "let the mesh write there, or correct RECOMESH_SNAPSHOT_URL"
        return Backend(name, kind, "", place, verdict=Verdict.FAIL, trouble=trouble, fix=fix)
    return Backend(name, kind, "", place, round((time.perf_counter() - began) * 1000, 1))
