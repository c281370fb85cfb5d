"""Running a process: logs, one event loop, signals, clean stop, exit codes."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvloop

from meshkit import logs
from meshkit.errors import RecomeshError, SettingsInvalid
from meshkit.settings import MeshSettings, load

LIFELINE = "_RECOMESH_LIFELINE"  # number of an inherited pipe that ends when whoever started this process is gone

log = structlog.get_logger()
# The default collects after every 700 new objects, which is about one request: it made an answer of the recommender a
# third slower. Almost everything is freed by reference counts, cycles are rare. And what it counts is objects made less
# objects freed: while a full log of answers loses one for each that comes, the count stands still, the young pile up,
# and one collection then walks them all for 0.1 s. So the young are collected by the clock, a few milliseconds each.
GC_THRESHOLDS = (100_000, 10, 1_000)
GC_INTERVAL_S, GC_MIDDLE_EVERY = 0.1, 10
SWITCH_INTERVAL_S = 0.001  # a thread that computes gives way to the loop after this long, not after 5 ms
S = TypeVar("S", bound=MeshSettings)
T = TypeVar("T")


def run(name: str, settings_class: type[S], serve: Callable[[S, asyncio.Event], Awaitable[None]]) -> None:
    """Reads settings, then runs `serve(settings, stop)` until it returns; SIGTERM and SIGINT set `stop`.

    So does the death of a supervisor that handed over a lifeline: no process of the mesh outlives `recomesh up`.
    Exits 0 after a clean stop, 1 when `serve` fails, 2 with one line per wrong setting.
    """
    try:
        settings = load(settings_class)
    except SettingsInvalid as error:
        _die(name, error)
    _hold_lifeline(settings.drain_s)
    logs.configure(name, format=settings.log_format, level=settings.log_level)
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        uvloop.run(_until_stopped(name, settings, serve))
    except SettingsInvalid as error:
        _die(name, error)
    except RecomeshError as error:
        log.error("failed", reason=error.reason, error=error.message)
        raise SystemExit(1) from None


async def _until_stopped(name: str, settings: S, serve: Callable[[S, asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    collecting = loop.create_task(_collect_garbage())
    try:
        await serve(settings, stop)
    finally:
        collecting.cancel()
    log.info("stopped")


async def _collect_garbage() -> None:
    """Until cancelled; see GC_THRESHOLDS."""
    for turn in itertools.count(1):
        await asyncio.sleep(GC_INTERVAL_S)
        gc.collect(0 if turn % GC_MIDDLE_EVERY else 1)


async def blocking(function: Callable[..., T], *args: object) -> T:
    """Runs a blocking use case in a thread, with the request context; the loop stays free."""
    return await asyncio.to_thread(function, *args)


def _hold_lifeline(drain_s: float) -> None:
    number = os.environ.pop(LIFELINE, "")
    if not number.isdigit():
        return

    def wait_for_end() -> None:
        os.read(int(number), 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(drain_s + 5)
        os._exit(1)

    os.set_inheritable(int(number), False)
    threading.Thread(target=wait_for_end, name="lifeline", daemon=True).start()


def _die(name: str, error: SettingsInvalid) -> None:
    sys.stderr.write("".join(f"{name}: {line}\n" for line in error.message.splitlines()))
    raise SystemExit(2)
