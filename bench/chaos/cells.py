"""The rows of the report: what is broken, what docs/resilience promises, and what was measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.chaos.client import ChaosClient
from bench.chaos.ledger import (
    Entry,
    Ledger,
    availability,
    degraded_share,
    error_share,
    last_error_s,
    over_deadline_ms,
    percentile_ms,
)
from bench.chaos.rig import RECOS, Fault, Rig
from bench.chaos.traffic import shoppers

LEAD_S = 2.0
SETTLED_S = 2.0  # from then on breakers and ejections must have taken hold


@dataclass(frozen=True, slots=True)
class Promise:
    """Bounds on the requests from the fault to the end of its recovery; None: not promised."""

    text: str
    errors: float = 0.001
    event_errors: float | None = 0.001
    clean_s: float | None = None
    p99_ms: float | None = None
    over_deadline_ms: float | None = 50.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table: `parts` suffer `fault` for `fault_s` seconds."""

    name: str
    parts: tuple[str, ...]
    fault: Fault
    promise: Promise
    fault_s: float = 5.0
    recovery_s: float = 4.0


@dataclass(slots=True)
class Row:
    """A measured cell, for the report."""

    name: str
    fault: str
    promise: str
    measured: dict[str, float]
    broken: list[str]
    load_average: float
    timeline: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def met(self) -> bool:
        """True if nothing of the promise was broken."""
        return not self.broken


def made(
    name: str,
    fault: str,
    promise: str,
    measured: dict[str, float],
    broken: list[str],
    timeline: list[tuple[float, float, float]] | None = None,
) -> Row:
    """A row that is no cell of the table, with the load of the machine now."""
    return Row(name, fault, promise, measured, broken, round(os.getloadavg()[0], 1), timeline or [])


def warm_up(rig: Rig, product_ids: list[str], *, rate: float, seconds: float = 5.0) -> None:
    """The same load with nothing broken, so that compilers, caches and connections are warm."""
    client = ChaosClient(rig.mesh.port, shoppers(product_ids, seed=1, run="warm-up"), rate=rate)
    client.start()
    time.sleep(seconds)
    client.stop()
    rig.settle()


def run_cell(rig: Rig, cell: Cell, product_ids: list[str], *, rate: float) -> tuple[Row, Ledger]:
    """Breaks, waits, mends, under load; settles the mesh before and after."""
    client = ChaosClient(rig.mesh.port, shoppers(product_ids, run=f"{cell.name}-{cell.fault}"), rate=rate)
    client.start()
    try:
        time.sleep(LEAD_S)
        began = client.now()
        for part in cell.parts:
            rig.inject(part, cell.fault)
        time.sleep(max(0.0, began + cell.fault_s - client.now()))
        mended = client.now()
        for part in cell.parts:
            rig.heal(part, cell.fault)
        time.sleep(cell.recovery_s)
        ended = client.now()
    finally:
        ledger = client.stop()
    rig.settle()
    return judged(cell, ledger, began, mended, ended), ledger


def judged(cell: Cell, ledger: Ledger, began: float, mended: float, ended: float) -> Row:
    """The figures of a run beside the cell's promise."""
    span = ledger.between(began, ended)
    reads = [e for e in span if e.kind != "event"]
    measured = figures(span, ledger.between(began + SETTLED_S, mended, "read", "personal"), began)
    promise = cell.promise
    bounds: list[tuple[str, float | None]] = [
        ("errors", promise.errors),
        ("event_errors", promise.event_errors),
        ("clean_s", promise.clean_s),
        ("p99_ms", promise.p99_ms),
        ("over_deadline_ms", promise.over_deadline_ms),
    ]
    broken = [
        f"{name} {measured[name]:g} > {most:g}" for name, most in bounds if most is not None and measured[name] > most
    ]
    if not reads:
        broken.append("no request was measured")
    timeline = availability(ledger.entries, began - LEAD_S, ended)
    return made(cell.name, cell.fault.value, promise.text, measured, broken, timeline)


def figures(span: list[Entry], settled_reads: list[Entry], began: float) -> dict[str, float]:
    """What a span of requests looked like; shares of 1, times as their names say."""
    reads = [e for e in span if e.kind != "event"]
    events = [e for e in span if e.kind == "event"]
    found = {
        "requests": len(span),
        "errors": error_share(reads),
        "event_errors": error_share(events),
        "degraded": degraded_share(settled_reads),
        "clean_s": last_error_s(reads, began),
        "p50_ms": percentile_ms(settled_reads, 50),
        "p99_ms": percentile_ms(settled_reads, 99),
        "over_deadline_ms": over_deadline_ms(span),
    }
    return {name: round(value, 4) for name, value in found.items()}


ALL = RECOS
_ONE_RECO = {
    Fault.KILLED: Promise("0 client errors with retry", errors=0.0, event_errors=0.0),
    Fault.FROZEN: Promise("≤ 0.5 % errors, clean within 1 s", errors=0.005, event_errors=None, clean_s=1.0),
    Fault.SLOW: Promise("ejected within 2 s", errors=0.005, event_errors=None, clean_s=2.0),
    Fault.GARBAGE: Promise("ejected", errors=0.005, event_errors=0.005, clean_s=2.0),
}
_ALL_RECO = Promise("200 degraded, p99 ≤ 20 ms once the breaker is open", event_errors=None, p99_ms=20.0)
_CATALOG = Promise("ids and last-good product cards")
_PROFILE = Promise("non-personal 200; erased or opted-out visitors stay so")
_EDGE = {
    Fault.KILLED: Promise("respawned ≤ 2 s", errors=1.0, event_errors=None, clean_s=2.0, over_deadline_ms=None),
    Fault.FROZEN: Promise(
        "killed by watchdog ≤ 5 s, respawned ≤ 2 s", errors=1.0, event_errors=None, clean_s=7.0, over_deadline_ms=None
    ),
}
_WORKER = Promise("redelivered, effect once; nobody notices")
_REDIS = {
    Fault.KILLED: Promise("200, bypassed; local limits"),
    Fault.FROZEN: Promise("200, adds ≤ 60 ms for ≤ 1 s, then nothing"),
    Fault.SLOW: Promise("treated as down"),
    Fault.GARBAGE: Promise("treated as a miss"),
}
_PRODUCTS = Promise("reads from cache or last good 200")
_DATABASE = Promise("200 from memory; events into the queue", event_errors=0.001)
_BROKER = Promise("events still 202 through the spool", event_errors=0.001)


def _row_of(name: str, parts: tuple[str, ...], of: Callable[[Fault], Promise]) -> list[Cell]:
    return [Cell(name, parts, fault, of(fault)) for fault in Fault]


CELLS: list[Cell] = [
    *_row_of("one of two reco_svc", ("reco-2",), _ONE_RECO.__getitem__),
    *_row_of("all reco_svc", ALL, lambda _: _ALL_RECO),
    *_row_of("catalog_svc", ("catalog",), lambda _: _CATALOG),
    *_row_of("profile_svc", ("profile",), lambda _: _PROFILE),
    Cell("edge worker", ("edge",), Fault.KILLED, _EDGE[Fault.KILLED], fault_s=8.0),
    Cell("edge worker", ("edge",), Fault.FROZEN, _EDGE[Fault.FROZEN], fault_s=12.0),
    Cell("queue worker", ("worker",), Fault.KILLED, _WORKER),
    Cell("queue worker", ("worker",), Fault.FROZEN, _WORKER),
    *_row_of("redis", ("redis",), _REDIS.__getitem__),
    *_row_of("product store", ("products",), lambda _: _PRODUCTS),
    *_row_of("database", ("database",), lambda _: _DATABASE),
    *_row_of("broker", ("broker",), lambda _: _BROKER),
]
QUICK = [
    cell
    for cell in CELLS
    if (cell.name, cell.fault)
    in {
        ("one of two reco_svc", Fault.KILLED),
        ("one of two reco_svc", Fault.FROZEN),
        ("all reco_svc", Fault.KILLED),
        ("one of two reco_svc", Fault.GARBAGE),
    }
]
