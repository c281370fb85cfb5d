"""Real processes on free ports: start, wait on a condition, stop by process id."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bench.ports import free_ports
from meshkit.settings import ENV_PREFIX, MeshSettings

T = TypeVar("T")
PORT_NAMES = tuple(name for name in MeshSettings.model_fields if name.endswith("_port"))


def wait_until(condition: Callable[[], T], *, within_s: float = 30.0, what: str = "") -> T:
    """The first true value of `condition`; AssertionError when none comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s: {what or condition}"
        time.sleep(0.02)


def private_env(home: Path, **extra: object) -> dict[str, str]:
    """An environment with its own home and free ports, and no other setting of the mesh; `extra` by field name."""
    fields: dict[str, object] = {"home": home, "log_format": "json", "drain_s": 5}
    fields |= dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))
    fields |= extra
    env = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX)}
    return env | {f"{ENV_PREFIX}{name.upper()}": str(value) for name, value in fields.items()}


def settings_of(env: Mapping[str, str]) -> MeshSettings:
    """The settings a process with this environment reads."""
    given = {k.removeprefix(ENV_PREFIX).lower(): v for k, v in env.items() if k.startswith(ENV_PREFIX)}
    return MeshSettings(**{k: v for k, v in given.items() if k in MeshSettings.model_fields})


@contextmanager
def running(module: str, *arguments: str, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module` while the context is open; its output goes to `log`. SIGTERM at the end, then SIGKILL."""
    with log.open("ab") as out:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, env=dict(env), cwd=log.parent, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait(5)
