"""Running a process: logs, one event loop, signals, clean stop, exit codes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvloop

from meshkit import garbage, logs
from meshkit.errors import RecomeshError, SettingsInvalid
from meshkit.settings import MeshSettings, load

LIFELINE = "_RECOMESH_LIFELINE"  # number of an inherited pipe that ends when whoever started this process is gone

log = structlog.get_logger()
SWITCH_INTERVAL_S = 0.001  # a thread that computes gives way to the loop after this long, not after 5 ms
S = TypeVar("S", bound=MeshSettings)
T = TypeVar("T")


def run(
    name: str,
    settings_class: type[S],
    serve: Callable[[S, asyncio.Event], Awaitable[None]],
    *,
    collecting: garbage.EveryTurn | garbage.WhereItIs | None = None,
) -> None:
    """Reads settings, then runs `serve(settings, stop)` until it returns; SIGTERM and SIGINT set `stop`.

    So does the death of a supervisor that handed over a lifeline: no process of the mesh outlives `recomesh up`.
    Garbage is collected at every turn of the clock, or as `collecting` does.
    Exits 0 after a clean stop, 1 when `serve` fails, 2 with one line per wrong setting.
    """
    try:
        settings = load(settings_class)
    except SettingsInvalid as error:
        _die(name, error)
    _hold_lifeline(settings.drain_s)
    logs.configure(name, format=settings.log_format, level=settings.log_level)
    gc.set_threshold(*garbage.THRESHOLDS)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        uvloop.run(_until_stopped(settings, serve, collecting or garbage.EveryTurn()))
    except SettingsInvalid as error:
        _die(name, error)
    except RecomeshError as error:
        log.error("failed", reason=error.reason, error=error.message)
        raise SystemExit(1) from None


async def _until_stopped(
    settings: S,
    serve: Callable[[S, asyncio.Event], Awaitable[None]],
    collecting: garbage.EveryTurn | garbage.WhereItIs,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = loop.create_task(garbage.collect_by_the_clock(collecting))
    try:
        await serve(settings, stop)
    finally:
        clock.cancel()
    log.info("stopped")


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
