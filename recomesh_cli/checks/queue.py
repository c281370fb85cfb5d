"""Is the queue there, what is it, and does anything wait in a spool because it was not?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from meshkit.broker.queue_server import queue_server
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.settings import MeshSettings, shown
from recomesh_cli.checks.model import Backend, Check, Verdict

_OLDEST_RABBIT = (3, 10)
_CALL_S = 3.0


def ask_rabbit(settings: MeshSettings) -> Backend:
    """RabbitMQ lets us in, is new enough, and takes messages."""
    place, correct = shown(settings.queue_url), "correct RECOMESH_BROKER_URL"
    failed = partial(Backend, "queue", "RabbitMQ", place=place, verdict=Verdict.FAIL)
    try:
        broker = RabbitBroker(settings.queue_url, call_s=_CALL_S)
    except ValueError as error:
        return failed(version="", trouble=str(error), fix=correct)
    try:
        found = queue_server(broker)
    finally:
        broker.close()
    if found.latency_ms is None:
        return failed(version="", trouble=found.trouble, fix=f"start it, or {correct}")
    answered = partial(failed, version=found.version, latency_ms=found.latency_ms)
    if found.trouble:
        fix = "free memory or disk of the server; until then events wait in the spool"
        return answered(trouble=found.trouble, fix=fix)
    if _version(found.version) < _OLDEST_RABBIT:
        return answered(trouble="too old", fix="use RabbitMQ 3.10 or newer")
    return answered(verdict=Verdict.OK)


def check_spools(settings: MeshSettings) -> Iterator[Check]:
    """A spool that is not empty says how much waits in it; one that was never needed says nothing."""
    for path in sorted((settings.home / "spool").glob("*.db")):
        name = f"spool of {path.stem}"
        try:
            waiting = _count(path)
        except sqlite3.Error as error:
            yield Check(name, Verdict.FAIL, f"{path}: {error}", "keep a copy of the file, then ask for help with it")
            continue
        if waiting:
            fix = "see why the queue is away; a running mesh hands them over by itself"
            yield Check(name, Verdict.WARN, f"{path}: {waiting:,} messages wait for the queue", fix)
        else:
            yield Check(name, Verdict.OK, "empty")


def _count(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_CALL_S)) as database:
        (count,) = database.execute("SELECT count(*) FROM message").fetchone()
    return int(count)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])
