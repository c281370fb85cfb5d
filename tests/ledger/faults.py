"""What happens to a run: a plan drawn from a seed, and the one who carries it out."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil

from bench.mesh import Mesh
from tests.ledger.backends import Backends

PROCESSES = ("queue_workers", "reco_svc")
SERVERS = ("rabbit", "postgres", "redis")
RESTART_S = 90.0


@dataclass(frozen=True)
class Fault:
    """After `pause_s`, `what` happens to `part`; it is over after `lasts_s`."""

    pause_s: float
    part: str
    what: str
    lasts_s: float

    def __str__(self) -> str:
        return f"{self.part} {self.what} for {self.lasts_s:.1f} s"


def plan(seed: int, count: int) -> list[Fault]:
    """`count` faults; every part is killed and frozen before any is twice."""
    dice = random.Random(seed)
    faults: list[Fault] = []
    while len(faults) < count:
        round_ = [(part, what) for part in (*SERVERS, *PROCESSES) for what in ("killed", "frozen")]
        round_ += [(part, "restarted") for part in PROCESSES]
        dice.shuffle(round_)
        faults += [Fault(dice.uniform(0.5, 3), part, what, dice.uniform(0.5, 4)) for part, what in round_]
    return faults[:count]


def carry_out(faults: Sequence[Fault], backends: Backends, tell: Callable[[str], None], stop: threading.Event) -> None:
    """One fault after the other; everything runs again at the end."""
    for fault in faults:
        if stop.wait(fault.pause_s):
            return
        tell(str(fault))
        if fault.part in SERVERS:
            _hurt_server(fault, backends)
        else:
            _hurt_process(fault, backends.mesh)


def _hurt_server(fault: Fault, backends: Backends) -> None:
    server = backends.servers[fault.part]
    if fault.what == "killed":
        server.kill()
        time.sleep(fault.lasts_s)
        server.start()
    else:
        server.freeze()
        time.sleep(fault.lasts_s)
        server.thaw()


def _hurt_process(fault: Fault, mesh: Mesh) -> None:
    """The supervisor of the mesh starts again what was killed or stopped."""
    process = next(_processes(mesh, fault.part), None)
    if process is None:
        return  # it is just being started again
    with contextlib.suppress(psutil.NoSuchProcess):
        if fault.what == "frozen":
            process.suspend()
            time.sleep(fault.lasts_s)
            process.resume()
            return
        process.send_signal(signal.SIGKILL if fault.what == "killed" else signal.SIGTERM)
    deadline = time.monotonic() + RESTART_S
    while not any(found.pid != process.pid for found in _processes(mesh, fault.part)):
        assert time.monotonic() < deadline, f"{fault.part} was not started again"
        time.sleep(0.05)


def _processes(mesh: Mesh, module: str) -> Iterator[psutil.Process]:
    for child in psutil.Process(mesh.pid).children():
        with contextlib.suppress(psutil.Error):
            words = child.cmdline()
            if "-m" in words and words[words.index("-m") + 1] == module:
                yield child
