"""What a bare server sustains on this machine right now: every other figure stands beside it."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import uvloop

from bench.bare import METHOD
from bench.grpc_loop import grpc_load
from bench.ladder import Rung, best, climb
from bench.open_loop import LoadResult, Request, load
from bench.ports import free_ports

BARE_BYTES = 3_000  # about one answer with ten product cards
P99_MS = 25.0
PATIENCE_S = 20.0


def bare_http(seconds: float) -> dict[str, object]:
    """A bare ASGI application with one worker: rungs, the best rate, CPU of a request."""
    requests = itertools.repeat(Request.get("/"))
    with _bare("http") as (port, process):

        def offer(rate: float) -> LoadResult:
            return uvloop.run(load("127.0.0.1", port, requests, rate=rate, seconds=seconds))

        return _found(process, offer, start=2_000)


def bare_grpc(seconds: float) -> dict[str, object]:
    """A bare grpc.aio server, one call for each request."""
    messages = itertools.repeat(b"x" * 200)
    with _bare("grpc") as (port, process):

        def offer(rate: float) -> LoadResult:
            target = f"127.0.0.1:{port}"
            return uvloop.run(grpc_load([target], METHOD, messages, rate=rate, seconds=seconds))

        return _found(process, offer, start=500)


def _found(process: psutil.Process, offer, *, start: float) -> dict[str, object]:  # type: ignore[no-untyped-def]
    offer(start / 4)
    before = sum(process.cpu_times()[:2])
    rungs = climb(offer, start=start, most=64_000, p99_ms=P99_MS)
    answered = sum(rung.result.answered for rung in rungs)
    result = best(rungs)
    return {
        "rungs": [rung_of(rung) for rung in rungs],
        "rps": result.offered_rps if result else 0.0,
        "p99_ms": round(result.percentile_ms(99), 2) if result else None,
        "cpu_ms": 1000 * (sum(process.cpu_times()[:2]) - before) / max(1, answered),
    }


def rung_of(rung: Rung) -> dict[str, object]:
    """A rung as JSON."""
    result = rung.result
    return {
        "offered_rps": result.offered_rps,
        "achieved_rps": round(result.achieved_rps, 1),
        "errors": result.errors,
        "statuses": {str(status): count for status, count in result.statuses.items()},
        "ms": {str(p): round(result.percentile_ms(p), 2) for p in (50, 90, 99, 99.9)},
        "client_share": round(result.client_cpu_s / result.seconds, 3),
        "holds": rung.holds,
    }


@contextmanager
def _bare(kind: str) -> Iterator[tuple[int, psutil.Process]]:
    (port,) = free_ports(1)
    server = subprocess.Popen([sys.executable, "-m", "bench.bare", kind, str(port), str(BARE_BYTES)])
    try:
        process = psutil.Process(server.pid)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not _listens(process, port):
            time.sleep(0.1)
        yield port, process
    finally:
        server.kill()
        server.wait()


def _listens(process: psutil.Process, port: int) -> bool:
    return any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in process.net_connections("inet"))
