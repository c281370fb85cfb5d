"""Three times what the mesh can do: it keeps doing most of what it can, and says no quickly to the rest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from statistics import median

import uvloop

from bench import cases
from bench.chaos.cells import Row, made
from bench.chaos.client import Asked, ChaosClient
from bench.chaos.ledger import Entry, Ledger, availability, percentile_ms
from bench.chaos.rig import PRODUCTS, Rig
from bench.open_loop import LoadResult, Request, load

SECONDS = 4.0
PUSHES = 3
GOOD_MS = 500.0  # what any recommendation is promised in
STEP = 1.3  # between offered rates on the way up
PAST = 1.8  # times the greatest goodput so far: nothing offered beyond that raises it
KEPT = 0.9  # of the peak
TIMES = 3.0
SHED_MS = 20.0
PROBES_RPS = 100.0
CONNECTIONS = 1_000


def overload(rig: Rig, *, start_rps: float = 100.0) -> Row:
    """Goodput at three times the peak against the peak, and how long a refusal takes.

    Goodput is what shoppers have something of: fresh answers (a fallback is cheap) within GOOD_MS of when due.
    The peak is the median of PUSHES at the rate that had most on the way up, not that most itself, which luck picks.
    Every question is new, so none comes from a cache. Who offers much does so from a process of its own: in this one
    are the proxies that the mesh speaks through. Refusals are timed by a client that offers little, in a process of its
    own as well: the one that offers much would time itself.
    """
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as apart:
        return _overload(rig, apart, start_rps)


def _overload(rig: Rig, apart: ProcessPoolExecutor, start_rps: float) -> Row:
    port = rig.mesh.port
    at_peak = _climbed(rig, apart, start_rps)
    peak = max(1.0, median(push.goodput_rps(GOOD_MS) for push in at_peak))
    pushes, entries = list[LoadResult](), list[Entry]()
    for _ in range(PUSHES):
        rig.settle()
        probes, pushing = apart.submit(_probed, port), apart.submit(_offered, port, TIMES * peak)
        entries += probes.result().entries
        pushes.append(pushing.result())
    rig.settle()
    good = [push.goodput_rps(GOOD_MS) for push in pushes]
    refused = [entry for entry in entries if entry.status == 503]
    found = {
        "peak_rps": round(peak),
        "offered_rps": round(TIMES * peak),
        "goodput": round(median(good) / peak, 3),
        "least": round(min(good) / peak, 3),
        "most": round(max(good) / peak, 3),
        "refused": float(sum(push.statuses.get(status, 0) for push in pushes for status in (429, 503))),
        "refusal p99_ms": round(percentile_ms(refused, 99), 1),
        "client cores at the peak": round(_cores(at_peak), 2),
        "client cores": round(_cores(pushes), 2),
    }
    broken = [f"goodput {found['goodput']:g} < {KEPT}"] if found["goodput"] < KEPT else []
    if found["refusal p99_ms"] > SHED_MS:
        broken.append(f"a refusal takes {found['refusal p99_ms']:g} ms > {SHED_MS:g}")
    promise = "goodput ≥ 90 % of peak, refusals within 20 ms"
    return made("3 times the peak", "overload", promise, found, broken, availability(entries, 0.0, SECONDS))


def _climbed(rig: Rig, apart: ProcessPoolExecutor, start_rps: float) -> Sequence[LoadResult]:
    """PUSHES at the rate with the greatest goodput on the way up, which ends well past it: one bad push is no peak."""
    port, most, best, rate = rig.mesh.port, 0.0, start_rps, start_rps
    while rate <= PAST * max(most, start_rps):
        good = apart.submit(_offered, port, rate).result().goodput_rps(GOOD_MS)
        if good > most:
            most, best = good, rate
        rate *= STEP
    rig.settle()
    return [apart.submit(_offered, port, best).result() for _ in range(PUSHES)]


def _cores(pushes: Sequence[LoadResult]) -> float:
    """What the client took of the processors on average."""
    return median(push.client_cpu_s / push.lasted_s for push in pushes)


def _offered(port: int, rate: float) -> LoadResult:
    return uvloop.run(load("127.0.0.1", port, _questions(), rate=rate, seconds=SECONDS, connections=CONNECTIONS))


def _probed(port: int) -> Ledger:
    """What became of a few questions meanwhile."""
    client = ChaosClient(port, lambda: Asked("personal", next(_questions())), rate=PROBES_RPS)
    client.start()
    time.sleep(SECONDS)
    return client.stop()


@cache
def _questions() -> Iterator[Request]:
    """Those of this process."""
    return cases.cold(PRODUCTS)
