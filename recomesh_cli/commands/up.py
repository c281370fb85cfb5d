"""`recomesh up`: the whole mesh on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer

from meshkit.errors import RecomeshError, SettingsInvalid
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.failures import CommandFailed, told
from recomesh_cli.mesh.addresses import addresses, show_addresses
from recomesh_cli.mesh.home_lock import home_lock
from recomesh_cli.mesh.log_lines import LogStream
from recomesh_cli.mesh.ports import is_of_the_mesh, port_troubles
from recomesh_cli.mesh.processes import PROCESSES
from recomesh_cli.mesh.readiness import ProcessState
from recomesh_cli.mesh.supervisor import MeshFailed, Supervisor
from recomesh_cli.moving import unfinished_restore
from recomesh_cli.options import AsJson

LAST_RUN_S = 8.0  # how long processes of a run that was killed may take to notice


def up(
    demo: Annotated[bool, typer.Option(help="Load the demo shop when the catalog is empty.")] = True,
    as_json: AsJson = False,
) -> None:
    """Start the whole mesh: edge, catalog, reco, profile and queue workers, on embedded stores.

    Ctrl-C stops it cleanly; a second Ctrl-C stops it at once. State lives in RECOMESH_HOME (`.recomesh`).

    Example: `recomesh up --no-demo`
    """
    check_settings()
    settings = load(MeshSettings)
    with home_lock(settings.home):
        if trouble := unfinished_restore(settings.home):
            raise CommandFailed(trouble)
        _check_ports(settings)
        wants_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
        asyncio.run(_run(settings, LogStream(console=wants_console), demo=demo, as_json=as_json))


def check_settings() -> None:
    """SettingsInvalid with everything that is wrong in the settings of any process."""
    from recomesh_cli.commands.config import all_effective

    all_effective()


def _check_ports(settings: MeshSettings) -> None:
    give_up = time.monotonic() + LAST_RUN_S
    while troubles := port_troubles(settings, PROCESSES):
        passing = all(t.holder_pid and is_of_the_mesh(t.holder_pid) for t in troubles)
        if not passing or time.monotonic() > give_up:
            raise SettingsInvalid("\n".join(map(str, troubles)))
        time.sleep(0.2)


async def _run(settings: MeshSettings, log: LogStream, *, demo: bool, as_json: bool) -> None:
    started = time.monotonic()
    supervisor = Supervisor(settings, log, PROCESSES)
    stop = _stop_on_signals(supervisor)
    supervisor.start()
    failed = asyncio.create_task(supervisor.failed())
    serving = asyncio.create_task(_serve(settings, supervisor, log, demo=demo, as_json=as_json, started=started))
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([failed, waiting, serving], return_when=asyncio.FIRST_COMPLETED)
        if serving.done() and not failed.done() and not stop.is_set():
            serving.result()
            await asyncio.wait([failed, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        log.say("stopping")
        reason = failed.result() if failed.done() and not stop.is_set() else ""
        failed.cancel()
        waiting.cancel()
        await supervisor.stop()
        log.say("stopped")
    if reason:
        raise MeshFailed(reason)


def _stop_on_signals(supervisor: Supervisor) -> asyncio.Event:
    stop = asyncio.Event()

    def told_to_stop() -> None:
        if stop.is_set():
            supervisor.hurry()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, told_to_stop)
    return stop


async def _serve(
    settings: MeshSettings, supervisor: Supervisor, log: LogStream, *, demo: bool, as_json: bool, started: float
) -> None:
    with _live_states(log) as seen:
        await supervisor.ready(seen)
    if demo:
        await _load_demo(settings, log)
    took_s = time.monotonic() - started
    log.say("mesh_ready", seconds=round(took_s, 1))
    if as_json:
        console.write_json({"ready_s": round(took_s, 2), "addresses": addresses(settings)})
    elif log.console:
        show_addresses(settings, took_s)


async def _load_demo(settings: MeshSettings, log: LogStream) -> None:
    from recomesh_cli.mesh.demo_shop import load_demo_shop

    try:
        await _in_daemon(lambda: load_demo_shop(settings, log))
    except RecomeshError as error:  # a mesh without a demo is still a mesh
        log.say("demo_shop_failed", level="error", error=told(error))


@contextlib.contextmanager
def _live_states(log: LogStream) -> Iterator[Any]:
    """In a terminal: a table of what each process is doing, gone when all are ready. Else: one line per change."""
    last: dict[str, str] = {}

    def tell(states: Sequence[ProcessState]) -> None:
        for state in states:
            if state.answers and last.get(state.process.name) != state.summary:
                last[state.process.name] = state.summary
                log.say("process", name=state.process.name, state=state.summary)

    if not log.console or not sys.stderr.isatty():
        yield tell
        return
    from rich.live import Live
    from rich.table import Table

    def draw(states: Sequence[ProcessState]) -> Table:
        rows = [(s.process.name, s.summary if s.answers else "starting") for s in states]
        return console.table("", ("process", "state"), rows)

    with Live(console=console.err(), transient=True, refresh_per_second=8) as live:
        log.show = live.console
        try:
            yield lambda states: live.update(draw(states))
        finally:
            log.show = None


async def _in_daemon(work: Callable[[], object]) -> None:
    """Like `asyncio.to_thread`, in a thread that nobody waits for at the end: a stop does not wait for a training."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        failure: BaseException | None = None
        try:
            work()
        except Exception as error:  # noqa: BLE001  (whoever waits is told)
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(tell, failure)

    threading.Thread(target=run, name="demo", daemon=True).start()
    await ended
