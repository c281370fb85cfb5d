"""Three times what the mesh can do: it keeps doing most of what it can, and says no quickly to the rest."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import uvloop

from bench import cases
from bench.chaos.cells import Row, made
from bench.chaos.client import Asked, ChaosClient
from bench.chaos.ledger import Ledger, availability, percentile_ms
from bench.chaos.rig import PRODUCTS, Rig
from bench.open_loop import LoadResult, Request, load

SECONDS = 4.0
STEP = 1.3  # between offered rates on the way up
KEPT = 0.9  # of what is offered must be answered well, or the mesh is past its peak
TIMES = 3.0
SHED_MS = 20.0
PROBES_RPS = 100.0
CONNECTIONS = 1_000


def overload(rig: Rig, *, start_rps: float = 100.0) -> Row:
    """Goodput at three times the peak against the peak, and how long a refusal takes.

    Every question is new, so none comes from a cache. Who offers much does so from a process of its own: in this one
    are the proxies that the mesh speaks through. Refusals are timed by a client that offers little, in a process of its
    own as well: the one that offers much would time itself.
    """
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as apart:
        return _overload(rig, apart, start_rps)


def _overload(rig: Rig, apart: ProcessPoolExecutor, start_rps: float) -> Row:
    port, peak, rate = rig.mesh.port, 0.0, start_rps
    while True:
        good = apart.submit(_offered, port, rate).result().achieved_rps
        peak = max(peak, good)
        if good < KEPT * rate:
            break
        rate *= STEP
    rig.settle()
    probes, pushing = apart.submit(_probed, port), apart.submit(_offered, port, TIMES * peak)
    ledger, pushed = probes.result(), pushing.result()
    time.sleep(1.0)
    rig.settle()
    refused = [entry for entry in ledger.entries if entry.status == 503]
    found = {
        "peak_rps": round(peak),
        "offered_rps": round(TIMES * peak),
        "goodput": round(pushed.achieved_rps / peak, 3),
        "refused": float(sum(pushed.statuses.get(status, 0) for status in (429, 503))),
        "refusal p99_ms": round(percentile_ms(refused, 99), 1),
    }
    broken = [f"goodput {found['goodput']:g} < {KEPT}"] if found["goodput"] < KEPT else []
    if found["refusal p99_ms"] > SHED_MS:
        broken.append(f"a refusal takes {found['refusal p99_ms']:g} ms > {SHED_MS:g}")
    promise = "goodput ≥ 90 % of peak, refusals within 20 ms"
    return made("3 times the peak", "overload", promise, found, broken, availability(ledger.entries, 0.0, SECONDS))


def _offered(port: int, rate: float) -> LoadResult:
    """Offers questions that were made before."""
    ready = iter(list(itertools.islice(_questions(), int(rate * SECONDS))))
    return uvloop.run(load("127.0.0.1", port, ready, rate=rate, seconds=SECONDS, connections=CONNECTIONS))


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
