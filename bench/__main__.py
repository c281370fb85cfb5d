"""Measures the mesh on this machine: `python -m bench [--case NAME …] [--once NAME …] [--home DIR]`.

Starts a private mesh, fills it with a synthetic shop, and for each case climbs a ladder of constant request rates until
the server no longer keeps up; a key is checked, limits are counted, metrics and access log are on. Bare servers are
measured first, in the same run, because absolute figures move from machine to machine. With --home the shop stays there
and is used again, so that a run can be made in pieces. Everything stays on loopback and ends by itself.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvloop
from recomesh.catalog.v1.catalog_service_pb2 import BatchGetProductsRequest
from rich.console import Console

from bench import report
from bench.baselines import bare_grpc, bare_http, rung_of
from bench.cases import CASES, Case, cold, every_product
from bench.filling import fill, import_online_retail
from bench.grpc_loop import grpc_load
from bench.ladder import best, climb
from bench.machine import machine
from bench.mesh import Mesh, end_on_sigterm, private_mesh, temporary_mesh
from bench.open_loop import LoadResult, Request, load
from bench.plot import plot
from bench.shop import product_id
from bench.swapping import swap_under_load

NO_LIMIT = "100000000"
LIMITS = {f"edge_limit_{what}": NO_LIMIT for what in ("read", "recommend", "events", "write")}
SETTINGS = {"log_level": "info", "require_key": "true", "edge_limit_visitor_product_events": "0", **LIMITS}
ONLINE_RETAIL = report.ROOT.parent / "shared" / "data" / "online_retail" / "online_retail.csv.gz"
ONCE = ("online_retail", "swap", "catalog")
READ_METHOD, READ_RATE = "/recomesh.catalog.v1.CatalogService/BatchGetProducts", 300.0
SWAP_RATE, WARM_RATE = 1_000.0, 1_000.0
FILLED, KEY = "filled.json", "key.txt"


def main() -> None:
    """Runs what was asked for, keeps it in bench/results/ and shows it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=10_000, help="size of the catalog (default 10,000)")
    parser.add_argument("--interactions", type=int, default=200_000, help="events in the log (default 200,000)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each rung (default 4)")
    parser.add_argument("--case", action="append", choices=[*(c.name for c in CASES), "none"], help="only these")
    parser.add_argument("--once", action="append", choices=[*ONCE, "none"], help="only these of what is measured once")
    parser.add_argument("--home", type=Path, help="where the shop is, or will be; default: a folder that is deleted")
    parser.add_argument("--embedder", default="lsa", choices=["lsa", "minilm"], help="lsa starts faster (default)")
    parser.add_argument("--online-retail", type=Path, default=ONLINE_RETAIL, help="the file, if it is elsewhere")
    given = parser.parse_args()
    end_on_sigterm()
    console, found = Console(stderr=True), report.known()
    found |= {"machine": machine(), "products": given.products}
    with tempfile.TemporaryDirectory(prefix="recomesh-bench-") as temporary:
        home = given.home or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        _shop(home, given, found, console)
        _measure(home, given, found, console)
    if "online_retail" in (given.once or ONCE):
        console.print("importing Online Retail …")
        with temporary_mesh(worker_embedder="lsa") as mesh:
            found.setdefault("times", {}).update(import_online_retail(mesh, given.online_retail))
    report.write(found)
    plot(found, report.RESULTS.with_suffix(".svg"))
    report.show(found, report.committed(), Console())


def _shop(home: Path, given: argparse.Namespace, found: dict[str, Any], console: Console) -> None:
    """Fills a home that is new. What it took is remembered there."""
    if not (home / FILLED).exists():
        console.print("filling a shop …")
        with private_mesh(home, worker_embedder=given.embedder) as mesh:
            times = fill(mesh, given.products, given.interactions)
            key = orjson.loads(mesh.recomesh("keys", "create", "bench", "--role", "shop", "--json").stdout)["key"]
        (home / KEY).write_text(key)
        (home / FILLED).write_bytes(orjson.dumps(times))
    found.setdefault("times", {}).update(orjson.loads((home / FILLED).read_bytes()))


def _measure(home: Path, given: argparse.Namespace, found: dict[str, Any], console: Console) -> None:
    cases = [case for case in CASES if not given.case or case.name in given.case]
    key = (home / KEY).read_text()
    if cases:
        console.print("bare servers …")
        found["bare"] = {"http": bare_http(given.seconds), "grpc": bare_grpc(given.seconds)}
    began = time.perf_counter()
    with private_mesh(home, worker_embedder=given.embedder, **SETTINGS) as mesh:
        _first_answer(mesh, key)
        found["start_s"] = time.perf_counter() - began
        _warm(mesh, key, given.products)
        if "swap" in (given.once or ONCE):
            console.print("swapping snapshots …")
            requests = (request.with_key(key) for request in cold(given.products))
            found["swap"] = swap_under_load(mesh, requests, SWAP_RATE)
        if "catalog" in (given.once or ONCE):
            found["catalog_read_ms"] = _catalog_read_ms(mesh, given.products)
        for case in cases:
            requests = (request.with_key(key) for request in case.requests(given.products))
            if case.warm:
                _warm(mesh, key, given.products)
            measured = _climb(mesh, case, requests, given.seconds, console)
            found.setdefault("cases", {})[case.name] = {**measured, "bare_rps": found["bare"]["http"]["rps"]}
        found["rss_mb"] = {name: use.rss_bytes / 2**20 for name, use in mesh.use().items()}


def _warm(mesh: Mesh, key: str, products: int) -> None:
    """Asks about every product once: a mesh that is used has their cards in memory."""
    requests = (request.with_key(key) for request in every_product(products))
    uvloop.run(load("127.0.0.1", mesh.port, requests, rate=WARM_RATE, seconds=products / WARM_RATE))


def _catalog_read_ms(mesh: Mesh, products: int) -> float:
    """CPU of the catalog for ten cards that no edge holds, read over gRPC."""
    rng = random.Random(8)
    requests = (
        BatchGetProductsRequest(product_ids=[product_id(rng.randrange(products)) for _ in range(10)])
        for _ in itertools.count()
    )
    before = mesh.use()["catalog_svc"].cpu_s
    messages = (request.SerializeToString() for request in requests)
    target = mesh.settings.target("catalog")
    result = uvloop.run(grpc_load([target], READ_METHOD, messages, rate=READ_RATE, seconds=3.0))
    return 1000 * (mesh.use()["catalog_svc"].cpu_s - before) / max(1, result.answered)


def _first_answer(mesh: Mesh, key: str) -> None:
    """Until a trained model recommends something."""
    while True:
        answer = httpx.get(f"http://127.0.0.1:{mesh.port}/v1/popular?limit=1", headers={"X-API-Key": key}, timeout=10)
        if answer.status_code == httpx.codes.OK and answer.json()["items"] and answer.json()["model_version"]:
            return
        time.sleep(0.05)


def _climb(mesh: Mesh, case: Case, requests: Iterator[Request], seconds: float, console: Console) -> dict[str, Any]:
    console.print(f"{case.what} …")
    target = case.target_rps / case.per_request
    uvloop.run(load("127.0.0.1", mesh.port, requests, rate=min(500.0, target / 4), seconds=3))
    before = mesh.use()
    answered = 0

    def offer(rate: float) -> LoadResult:
        nonlocal answered
        result = uvloop.run(load("127.0.0.1", mesh.port, requests, rate=rate, seconds=seconds))
        answered += result.answered
        p99, client = result.percentile_ms(99), result.client_cpu_s / seconds
        console.print(
            f"  {rate:,.0f}/s offered, {result.achieved_rps:,.0f}/s answered, p99 {p99:.1f} ms, client {client:.0%}"
        )
        return result

    rungs = climb(offer, start=target / 4, most=64_000, p99_ms=case.target_p99_ms)
    after, held = mesh.use(), best(rungs)
    return {
        "what": case.what,
        "rungs": [rung_of(rung) for rung in rungs],
        "rps": held.offered_rps if held else 0.0,
        "p50_ms": held.percentile_ms(50) if held else None,
        "p99_ms": held.percentile_ms(99) if held else None,
        "client_share": held.client_cpu_s / seconds if held else 0.0,
        "cpu_ms": {
            name: 1000 * (use.cpu_s - before[name].cpu_s) / max(1, answered)
            for name, use in after.items()
            if name in before
        },
        "target": {"rps": case.target_rps, "p99_ms": case.target_p99_ms},
        "things_per_request": case.per_request,
        "peer": {"name": case.peer.name, "rps": case.peer.rps} if case.peer else None,
    }


if __name__ == "__main__":
    main()
