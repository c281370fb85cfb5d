"""Checks of this machine: Python, home, disk, memory, ports, clock."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from meshkit.settings import MeshSettings
from recomesh_cli.checks.model import Check, Verdict
from recomesh_cli.mesh.ports import is_of_the_mesh, port_troubles
from recomesh_cli.moving import unfinished_restore

GIB = 1024**3
_OLDEST_PYTHON = (3, 11)
_LEAST_FREE_BYTES = GIB
_GOOD_FREE_BYTES = 5 * GIB
_GOOD_MEMORY_BYTES = 3 * GIB
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # no clock that is right shows an earlier time


def check_python(settings: MeshSettings) -> Check:
    """3.11 or newer."""
    found = f"Python {sys.version.split()[0]} at {sys.executable}"
    verdict = Verdict.OK if tuple(sys.version_info) >= _OLDEST_PYTHON else Verdict.FAIL
    return Check("python", verdict, found, "install Python 3.11 or newer")


def check_home(settings: MeshSettings) -> Check:
    """State can be written."""
    home = settings.home.resolve()
    standing = _existing(home)
    try:
        with tempfile.TemporaryFile(dir=standing) as file:
            file.write(b"x")
            os.fsync(file.fileno())
    except OSError as error:
        fix = "set RECOMESH_HOME to a folder that you may write to"
        return Check("home", Verdict.FAIL, f"{home}: {error.strerror}", fix)
    if trouble := unfinished_restore(home):
        return Check("home", Verdict.FAIL, *trouble.split("; ", 1))
    return Check("home", Verdict.OK, f"{home} ({'is there' if home.exists() else 'made on first start'})")


def check_disk(settings: MeshSettings) -> Check:
    """Room for databases and snapshots."""
    free = shutil.disk_usage(_existing(settings.home.resolve())).free
    verdict = Verdict.OK
    if free < _GOOD_FREE_BYTES:
        verdict = Verdict.WARN if free >= _LEAST_FREE_BYTES else Verdict.FAIL
    return Check("disk", verdict, f"{free / GIB:.1f} GiB free", "free some space, or set RECOMESH_HOME to another disk")


def check_memory(settings: MeshSettings) -> Check:
    """The five processes and a training need about 2 GiB."""
    available = psutil.virtual_memory().available
    verdict = Verdict.OK if available >= _GOOD_MEMORY_BYTES else Verdict.WARN
    fix = "stop something else; without torch the mesh needs about 1 GiB less"
    return Check("memory", verdict, f"{available / GIB:.1f} GiB available", fix)


def check_ports(settings: MeshSettings) -> list[Check]:
    """Free, or held by the mesh itself."""
    troubles = port_troubles(settings)
    foreign = [t for t in troubles if not (t.holder_pid and is_of_the_mesh(t.holder_pid))]
    if not foreign:
        held = f"{len(troubles)} held by a running mesh" if troubles else "all free"
        return [Check("ports", Verdict.OK, held)]
    return [
        Check("ports", Verdict.FAIL, *str(trouble).rpartition("; ")[::2])  # the text ends with its own fix
        for trouble in foreign
    ]


def check_clock(settings: MeshSettings) -> Check:
    """Wall clock and monotonic clock move, and the date is no nonsense."""
    now = datetime.now(UTC)
    if now < _BUILT:
        return Check(
            "clock", Verdict.FAIL, f"{now:%Y-%m-%d %H:%M} UTC lies in the past", "set the clock (ntpd, chronyd)"
        )
    wall, steady = time.time(), time.monotonic()
    time.sleep(0.05)
    drift_s = abs((time.time() - wall) - (time.monotonic() - steady))
    verdict = Verdict.OK if drift_s < 0.5 else Verdict.WARN
    return Check("clock", verdict, f"{now:%Y-%m-%d %H:%M:%S} UTC", "the clock jumps; let one time service keep it")


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if p.exists())
