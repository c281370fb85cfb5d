"""Keeps the processes of the mesh running until told to stop, then stops them in order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence

from meshkit.settings import MeshSettings
from recomesh_cli.failures import CommandFailed
from recomesh_cli.mesh.child import Child
from recomesh_cli.mesh.log_lines import LogStream
from recomesh_cli.mesh.processes import MeshProcess
from recomesh_cli.mesh.readiness import ProcessState, ask_state, state_client
from recomesh_cli.mesh.watchdog import watch

POLL_S = 0.1
LAST_LINES_S = 1.0  # for what stopped processes wrote last


class Supervisor:
    """The children of one `recomesh up`."""

    def __init__(self, settings: MeshSettings, log: LogStream, processes: Sequence[MeshProcess]) -> None:
        self._settings = settings
        self._log = log
        self._hurry = asyncio.Event()
        self._lifeline_reads, self._lifeline_writes = os.pipe()
        env = _child_env(os.environ)
        self.children = [Child(process, env, self._lifeline_reads, log) for process in processes]
        self._tasks: dict[asyncio.Task[None], Child] = {}
        self._watchdogs: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Starts all processes at once; each waits for the others by itself. A watchdog watches each."""
        for child in self.children:
            self._tasks[asyncio.create_task(child.keep_running(), name=child.process.name)] = child
            self._watchdogs.append(asyncio.create_task(watch(child, self._settings, self._log)))

    async def failed(self) -> str:
        """Waits until a process is given up; returns why."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return next((c.failure for c in self.children if c.failure), "a process ended")

    async def ready(self, seen: Callable[[Sequence[ProcessState]], None]) -> None:
        """Waits until every process is ready; hands what each says to `seen` on the way."""
        async with state_client(self._settings) as client:
            while True:
                asked = [ask_state(client, self._settings, child.process) for child in self.children]
                states = await asyncio.gather(*asked)
                seen(states)
                for state, child in zip(states, self.children, strict=True):
                    child.was_ready |= state.ready
                if all(state.ready and child.pid for state, child in zip(states, self.children, strict=True)):
                    return
                await asyncio.sleep(POLL_S)

    def hurry(self) -> None:
        """Stops waiting for a clean stop: SIGKILL."""
        self._hurry.set()

    async def stop(self) -> None:
        """Edge first, then services, then workers; each stage has `drain_s`, then SIGKILL. Leaves nothing behind."""
        for watchdog in self._watchdogs:
            watchdog.cancel()
        await asyncio.gather(*self._watchdogs, return_exceptions=True)
        stages = sorted({child.process.stop_stage for child in self.children})
        for stage in stages:
            members = [child for child in self.children if child.process.stop_stage == stage]
            for child in members:
                child.ask_to_stop()
            await self._drain(members)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_LINES_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in self.children:
            child.kill()
            await child.stopped(5.0)
        os.close(self._lifeline_writes)
        os.close(self._lifeline_reads)

    async def _drain(self, members: Sequence[Child]) -> None:
        within_s = self._settings.drain_s + 1.0
        drained = asyncio.gather(*(child.stopped(within_s) for child in members))
        hurried = asyncio.ensure_future(self._hurry.wait())
        waits: list[asyncio.Future[object]] = [drained, hurried]  # type: ignore[list-item]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        for child in members:
            if child.pid:
                self._log.say("killed", level="warning", name=child.process.name, after_s=self._settings.drain_s)
                child.kill()


def _child_env(given: Mapping[str, str]) -> dict[str, str]:
    """Children log JSON; the supervisor renders it."""
    return {**given, "RECOMESH_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}


class MeshFailed(CommandFailed):
    """A process of the mesh could not be kept running."""
