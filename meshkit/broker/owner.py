"""Who holds a loan: a process named so that a later process with the same number is not taken for it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def process_name(pid: int | None = None) -> str:
    """Name of a living process (None: this one), "" if there is none or it only waits to be buried.

    The start time is counted from the boot of the machine where the system tells it so: a clock that is set anew must
    not make the living look dead.
    """
    pid = os.getpid() if pid is None else pid
    started = _started_from_proc(pid)
    if started is None:
        started = _started_from_psutil(pid)
    return f"{pid}:{started}" if started else ""


def is_alive(name: str) -> bool:
    """Whether the process of that name still runs on this machine."""
    pid = name.partition(":")[0]
    return pid.isdigit() and process_name(int(pid)) == name


def _started_from_proc(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat, in clock ticks since boot; None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else fields[18]


def _started_from_psutil(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(round(process.create_time()))
    except psutil.Error:
        return ""
