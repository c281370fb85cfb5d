"""Are the ports free, and if not, who holds them?"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil

from meshkit.settings import MeshSettings
from recomesh_cli.mesh.processes import PROCESSES, MeshProcess, variable


@dataclass(frozen=True, slots=True)
class PortTrouble:
    """A port that a process can not have. `holder_pid` 0: not known."""

    process: str
    field: str
    port: int
    cause: str
    holder_pid: int = 0

    def __str__(self) -> str:
        return (
            f"port {self.port} for {self.process} is not to be had: {self.cause}; "
            f"stop that, or set {variable(self.field)} to a free port"
        )


def port_troubles(settings: MeshSettings, processes: Sequence[MeshProcess] = PROCESSES) -> list[PortTrouble]:
    """Ports wanted twice, and ports that something else holds; empty when all are free."""
    first: dict[int, str] = {}
    troubles = []
    for process, field in _wanted(processes):
        port = getattr(settings, field)
        if port in first:
            troubles.append(PortTrouble(process.name, field, port, f"{variable(first[port])} is the same"))
            continue
        first[port] = field
        if error := _bind_error(settings.host, port):
            pid = holder(port)
            cause = f"{describe(pid)} holds it" if pid else error
            troubles.append(PortTrouble(process.name, field, port, cause, pid))
    return troubles


def holder(port: int) -> int:
    """Process id of who listens on a TCP port; 0 when nobody does or the system does not tell."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return 0
    listening = (c for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port)
    return next((c.pid for c in listening if c.pid), 0)


def describe(pid: int) -> str:
    """A process for people: number and command."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return f"process {pid}"
    return f"process {pid} ({' '.join(words)[:80]})"


def is_of_the_mesh(pid: int) -> bool:
    """True for a process of some mesh, this one's last run perhaps."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return any(["-m", p.module] == words[i : i + 2] for p in PROCESSES for i in range(len(words)))


def _wanted(processes: Sequence[MeshProcess]) -> Iterator[tuple[MeshProcess, str]]:
    for process in processes:
        for field in process.port_fields:
            yield process, field


def _bind_error(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return f"{host}:{port}: {error.strerror or error}"
    return ""
