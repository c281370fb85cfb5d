"""One process of the mesh under supervision."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping

from meshkit.process import LIFELINE
from recomesh_cli.mesh.log_lines import LogStream, read_event
from recomesh_cli.mesh.processes import MeshProcess

MOST_RESTARTS = 5
RESTART_WINDOW_S = 60.0
BACKOFF_S = (0.05, 0.5, 1.0, 2.0, 4.0)
LOOSE_LINES_S = 0.3  # lines that are no events, such as a traceback's, belong together until a pause
MISCONFIGURED = 2  # exit code of a process that can not start with its settings: starting again does not help
MAX_LINE_BYTES = 4 * 1024 * 1024


class Child:
    """Starts a process in a session of its own, passes on its log, and starts it again when it crashes.

    The process inherits the reading end of a pipe whose writing end only the supervisor holds: should the supervisor
    be killed, the process reads the end of the pipe and stops by itself (`meshkit.process`).
    """

    def __init__(self, process: MeshProcess, env: Mapping[str, str], lifeline: int, log: LogStream) -> None:
        self.process = process
        self.restarts = 0
        self.failure = ""  # set: given up
        self.was_ready = False
        self._env = {**env, LIFELINE: str(lifeline)}
        self._lifeline = lifeline
        self._log = log
        self._running: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._crashes: deque[float] = deque(maxlen=MOST_RESTARTS)

    @property
    def pid(self) -> int:
        """Process id; 0 while it does not run."""
        return self._running.pid if self._running and self._running.returncode is None else 0

    async def keep_running(self) -> None:
        """Returns when the process was stopped on purpose, or was given up (`failure` says why)."""
        while not self._stopping:
            code = await self._run_once()
            if self._stopping:
                return
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            if code == MISCONFIGURED:
                self.failure = f"{self.process.name} can not start with these settings; its message stands above"
                return
            now = time.monotonic()
            if self._crashed_too_often(now):
                self.failure = f"{self.process.name} {how} once too often; its log above says why"
                return
            self._crashes.append(now)
            recent = sum(now - at < RESTART_WINDOW_S for at in self._crashes)
            wait_s = BACKOFF_S[min(recent, len(BACKOFF_S)) - 1]
            self._log.say("process_crashed", level="error", name=self.process.name, how=how, restart_in_s=wait_s)
            self.restarts += 1
            await asyncio.sleep(wait_s)

    def ask_to_stop(self) -> None:
        """SIGTERM; no restart from now on."""
        self._stopping = True
        self._signal(signal.SIGTERM)

    async def stopped(self, within_s: float) -> bool:
        """Waits; False if it still runs after `within_s`."""
        running = self._running
        if running is None:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.wait(), within_s)
        return running.returncode is not None

    def kill(self) -> None:
        """SIGKILL to the process and whatever it started."""
        self._stopping = True
        self._signal(signal.SIGKILL, whole_group=True)

    def kill_hung(self) -> None:
        """SIGKILL to the process and whatever it started; it is started again."""
        self._signal(signal.SIGKILL, whole_group=True)

    def _crashed_too_often(self, now: float) -> bool:
        """More than 5 times in a minute; or more than 5 times, however slowly, without ever having been ready."""
        full = len(self._crashes) == MOST_RESTARTS
        return full and (not self.was_ready or now - self._crashes[0] < RESTART_WINDOW_S)

    async def _run_once(self) -> int:
        self._running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.process.module,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(self._lifeline,),
            limit=MAX_LINE_BYTES,
        )
        if self.process.nice:
            with contextlib.suppress(ProcessLookupError):  # ended at once
                os.setpriority(os.PRIO_PROCESS, self._running.pid, self.process.nice)
        if self._stopping:
            self._signal(signal.SIGTERM)
        await self._pass_on(self._running)
        code = await self._running.wait()
        self._signal(signal.SIGKILL, whole_group=True)  # what it started and left behind
        self._running = None
        return code

    async def _pass_on(self, running: asyncio.subprocess.Process) -> None:
        assert running.stdout is not None
        name = self.process.name
        loose: list[bytes] = []
        while True:
            try:
                line = await asyncio.wait_for(running.stdout.readline(), LOOSE_LINES_S if loose else None)
            except ValueError:  # longer than the limit: that much was dropped, go on after it
                continue
            except TimeoutError:
                line = b""
            fields = read_event(line)
            if line and fields is None:
                loose.append(line)
                continue
            self._log.loose_lines(name, loose)
            loose = []
            if fields is not None:
                self._log.child_event(name, fields)
            elif running.stdout.at_eof():
                return

    def _signal(self, number: signal.Signals, *, whole_group: bool = False) -> None:
        if self._running is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if whole_group:
                os.killpg(self._running.pid, number)
            elif self._running.returncode is None:
                self._running.send_signal(number)
