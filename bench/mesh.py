"""A private mesh for measurements and end-to-end tests: own home, own ports, stopped by process id at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.ports import free_ports
from meshkit.settings import ENV_PREFIX, MeshSettings

START_S = 300.0


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """CPU seconds and resident bytes of one process of the mesh."""

    cpu_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Of the processes of one name: resident, their share of what they share (PSS), and what is theirs alone."""

    rss_mb: float
    pss_mb: float
    private_mb: float

    def __add__(self, other: ProcessMemory) -> ProcessMemory:
        return ProcessMemory(self.rss_mb + other.rss_mb, self.pss_mb + other.pss_mb, self.private_mb + other.private_mb)


def memory_of(process: psutil.Process) -> ProcessMemory:
    """Of one process. Its own is what no file stands behind: a mapped file is shared as soon as another maps it."""
    found = process.memory_full_info()
    return ProcessMemory(found.rss / 2**20, found.pss / 2**20, (found.rss - found.shared) / 2**20)


class Mesh:
    """A running mesh."""

    def __init__(self, supervisor: subprocess.Popen[bytes], settings: MeshSettings, env: dict[str, str]) -> None:
        self._supervisor = supervisor
        self.settings = settings
        self.env = env

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._supervisor.pid

    @property
    def port(self) -> int:
        """The public REST port."""
        return self.settings.edge_port

    def use(self) -> dict[str, ProcessUse]:
        """What each process has used so far, by name; several workers of one process add up."""
        found: dict[str, ProcessUse] = {}
        for child in psutil.Process(self._supervisor.pid).children(recursive=True):
            try:
                words = child.cmdline()
                name = words[words.index("-m") + 1] if "-m" in words else child.name()
                times, rss = child.cpu_times(), child.memory_info().rss
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            before = found.get(name, ProcessUse(0.0, 0))
            found[name] = ProcessUse(before.cpu_s + times.user + times.system, before.rss_bytes + rss)
        return found

    def memory(self, name: str) -> ProcessMemory:
        """Memory of the processes that run module `name`."""
        children = psutil.Process(self._supervisor.pid).children(recursive=True)
        return sum((memory_of(child) for child in children if name in child.cmdline()), ProcessMemory(0, 0, 0))

    def recomesh(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Runs the command line against this mesh; raises CalledProcessError when it fails."""
        command = [sys.executable, "-m", "recomesh_cli", *arguments]
        return subprocess.run(command, env=self.env, check=True, timeout=900, capture_output=True)


def end_on_sigterm() -> None:
    """Makes SIGTERM end this process as an exception does, so that meshes of its own end with it."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


class MeshNotReady(Exception):
    """The mesh did not become ready in time; the message holds the end of its log."""


@contextmanager
def temporary_mesh(**extra: str) -> Iterator[Mesh]:
    """A private mesh in a home of its own that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="recomesh-") as home, private_mesh(Path(home), **extra) as mesh:
        yield mesh


@contextmanager
def private_mesh(home: Path, *, demo: bool = False, **extra: str) -> Iterator[Mesh]:
    """Starts `recomesh up` on free ports with its state in `home`; `extra` are settings by field name.

    Its output goes to `<home>/mesh.log`. MeshNotReady if it does not answer ready within START_S seconds.
    """
    names = [n for n in MeshSettings.model_fields if n.endswith("_port")]
    chosen = dict(zip(names, map(str, free_ports(len(names))), strict=True)) | {
        k: extra[k] for k in names if k in extra
    }
    fields = {"home": str(home), "log_level": "warning", "log_format": "json", **chosen, **extra}
    env = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX)}
    env |= {f"{ENV_PREFIX}{k.upper()}": v for k, v in fields.items()}
    log = home / "mesh.log"
    with log.open("ab") as out:
        command = [sys.executable, "-m", "recomesh_cli", "up", "--demo" if demo else "--no-demo"]
        supervisor = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    settings = MeshSettings(home=home, **{k: int(v) for k, v in chosen.items()})
    try:
        _wait_ready(supervisor, settings, log, demo=demo, scheme="https" if "edge_tls_cert" in extra else "http")
        yield Mesh(supervisor, settings, env)
    finally:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(30)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()


def _wait_ready(
    supervisor: subprocess.Popen[bytes], settings: MeshSettings, log: Path, *, demo: bool, scheme: str
) -> None:
    """Until the edge is ready and, with the demo shop, a trained model answers."""
    deadline = time.monotonic() + START_S
    with httpx.Client(base_url=f"{scheme}://127.0.0.1:{settings.edge_port}", verify=False, timeout=5) as edge:
        while time.monotonic() < deadline and supervisor.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if edge.get("/readyz").status_code == 200 and (
                    not demo or edge.get("/v1/popular?limit=1").json().get("model_version")
                ):
                    return
            time.sleep(0.1)
    raise MeshNotReady(f"the mesh did not become ready; its log ends:\n{log.read_text()[-3000:]}")
