"""Answers over a million products: `python -m bench.scale [--products N] [--home DIR]`.

Makes a shop (see bench.scale.made), starts a real mesh over it and asks its recommender over gRPC at a constant rate:
`similar` to a product nobody asked about before, and `auto` for a session nobody had before, each with filters that
leave all, a tenth, a hundredth and a thousandth of the products. Recall is that of the answers against exact ones. The
same at 10,000 products tells how the cost of a request grows. With --home the shop stays there and is used again.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import orjson
import psutil
import uvloop
from recomesh.reco.v1 import reco_pb2, reco_service_pb2, reco_service_pb2_grpc
from rich.console import Console
from rich.table import Table

from bench import shop
from bench.grpc_loop import grpc_load
from bench.machine import machine
from bench.mesh import START_S, Mesh, end_on_sigterm, memory_of, private_mesh
from bench.ports import free_ports
from bench.scale.made import TRUTH, make, product_id

METHOD = "/recomesh.reco.v1.RecommendationService/Recommend"
RESULTS = Path(__file__).parents[1] / "results" / "scale.json"
EVENTS, WARM = 100_000, 200
KINDS = ("similar", "auto")
MADE, TOLD = "made.json", "told"
SETTLES_S = 20.0  # until counters and sessions of what was told are in memory


def main() -> None:
    """Makes, asks, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=500.0, help="requests a second (default 500)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default 5)")
    parser.add_argument("--home", type=Path, help="where the shop is made, or was; default: a folder that is deleted")
    parser.add_argument("--pair", action="store_true", help="also ask two recommenders, and tell their memory")
    parser.add_argument("--make-only", action="store_true", help="only make the shop in --home")
    given = parser.parse_args()
    end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="recomesh-scale-") as temporary:
        home = given.home or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        if not (home / MADE).exists():
            (home / MADE).write_bytes(orjson.dumps(asdict(make(home, given.products))))
        if given.make_only:
            return
        made = orjson.loads((home / MADE).read_bytes())
        found = {"machine": machine(), "made": made, "rate": given.rate}
        found |= _measured(home, made["products"], given)
    results = orjson.loads(RESULTS.read_bytes()) if RESULTS.exists() else {}
    results[str(made["products"])] = results.get(str(made["products"]), {}) | found
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    show(results, Console())


def show(results: dict[str, Any], console: Console) -> None:
    """Everything measured so far, and how the cost of a request grew from the smallest shop."""
    least = min(results.values(), key=lambda one: one["made"]["products"])
    for size, one in sorted(results.items(), key=lambda item: int(item[0])):
        table = Table(title=f"{int(size):,} products, {one['rate']:,.0f} requests a second over gRPC")
        for column in (
            "asked",
            "filter leaves",
            "p50 ms",
            "p99 ms",
            "errors",
            "CPU ms",
            "of the least shop",
            "recall@10",
        ):
            table.add_column(column, justify="right")
        for key, load in one["loads"].items():
            kind, share = key.split("/")
            grown = load["cpu_ms"] / least["loads"][key]["cpu_ms"]
            recall = f"{one['recall'][share]:.3f}" if kind == "similar" else ""
            numbers = (f"{load['p50_ms']:.1f}", f"{load['p99_ms']:.1f}", str(load["errors"]))
            table.add_row(kind, f"{float(share):.1%}", *numbers, f"{load['cpu_ms']:.2f}", f"{grown:.2f}", recall)
        console.print(table)
        made = one["made"]
        console.print(
            f"index {made['index_s']:.0f} s, written in {made['write_s']:.0f} s, vectors and index "
            f"{(made['vector_bytes'] + made['index_bytes']) / 1e9:.2f} GB, mesh ready in {one['start_s']:.0f} s"
        )
        console.print(
            f"recommender {one['reco_rss_mb']:,.0f} MB resident, {one['reco_private_mb']:,.0f} MB of it its own"
        )
        if two := one.get("two_recommenders"):
            for key, load in two.get("loads", {}).items():
                console.print(
                    f"two, {key}: p50 {load['p50_ms']:.1f}, p99 {load['p99_ms']:.1f} ms, {load['errors']} errors"
                )
            console.print(f"two of them {two['rss_mb']:,.0f} MB resident, {two['pss_mb']:,.0f} MB together")


def _measured(home: Path, n: int, given: argparse.Namespace) -> dict[str, object]:
    begun = time.perf_counter()
    with private_mesh(home) as mesh:
        start_s = time.perf_counter() - begun
        target = mesh.settings.target("reco")
        truth = orjson.loads((home / TRUTH).read_bytes())
        with grpc.insecure_channel(target) as channel:
            if not (home / TOLD).exists():
                _tell(channel, n)
                (home / TOLD).touch()
                time.sleep(SETTLES_S)
            stub = reco_service_pb2_grpc.RecommendationServiceStub(channel)
            recall = {share: _recall(stub, part["questions"]) for share, part in truth.items()}
        filters = {share: part["filters"] for share, part in truth.items()}
        loads = _loads([target], lambda: mesh.use()["reco_svc"].cpu_s, n, filters, given)
        memory = mesh.memory("reco_svc")
        pair = {"two_recommenders": _two_recommenders(mesh, n, filters, given)} if given.pair else {}
        shares = {share: part["share"] for share, part in truth.items()}
        return {
            "start_s": start_s,
            "reco_rss_mb": memory.rss_mb,
            "reco_private_mb": memory.private_mb,
            **pair,
            "shares": shares,
            "recall": recall,
            "loads": loads,
        }


def _two_recommenders(
    mesh: Mesh, n: int, filters: Mapping[str, list[str]], given: argparse.Namespace
) -> dict[str, object]:
    """The same loads on the recommender and a second one beside it, over the same snapshot, and their memory."""
    port, admin = free_ports(2)
    env = {**mesh.env, "RECOMESH_RECO_PORT": str(port), "RECOMESH_RECO_ADMIN_PORT": str(admin)}
    second = subprocess.Popen([sys.executable, "-m", "reco_svc"], env=env, stderr=subprocess.DEVNULL)
    try:
        process, target = psutil.Process(second.pid), f"127.0.0.1:{port}"
        with grpc.insecure_channel(target) as channel:
            _answered_by_the_model(channel)

        def used_s() -> float:
            return mesh.use()["reco_svc"].cpu_s + sum(process.cpu_times()[:2])

        loads = _loads([mesh.settings.target("reco"), target], used_s, n, filters, given)
        return {**asdict(mesh.memory("reco_svc") + memory_of(process)), "loads": loads}
    finally:
        second.terminate()
        second.wait(30)


def _answered_by_the_model(channel: grpc.Channel) -> None:
    stub = reco_service_pb2_grpc.RecommendationServiceStub(channel)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(grpc.RpcError):
            request = reco_service_pb2.RecommendRequest(limit=10)
            if stub.Recommend(request, timeout=5, wait_for_ready=True).model_version:
                return
        time.sleep(0.2)
    raise TimeoutError(f"the second recommender has no model after {START_S:.0f} s")


def _tell(channel: grpc.Channel, n: int) -> None:
    """A history of popular products, once."""
    stub = reco_service_pb2_grpc.InteractionServiceStub(channel)
    begun = shop.interactions(EVENTS, min(n, 1_000_000), datetime.now(UTC), product_id)
    requests = iter(lambda: list(itertools.islice(begun, 500)), [])
    stub.ImportInteractions(
        (reco_service_pb2.ImportInteractionsRequest(interactions=some) for some in requests), timeout=300
    )


def _recall(stub: reco_service_pb2_grpc.RecommendationServiceStub, questions: list[dict[str, Any]]) -> float:
    hits = wanted = 0
    for question in questions:
        request = reco_service_pb2.RecommendRequest(
            strategy=reco_pb2.STRATEGY_SIMILAR, filter=question["filter"], limit=10
        )
        request.context.product_id = question["product_id"]
        answer = {item.product_id for item in stub.Recommend(request, timeout=30).items}
        hits += len(answer.intersection(question["wanted"]))
        wanted += len(question["wanted"])
    return hits / wanted


def _messages(kind: str, n: int, filters: list[str]) -> Iterator[bytes]:
    rng = random.Random(kind)
    for number in itertools.count():
        request = reco_service_pb2.RecommendRequest(filter=filters[number % len(filters)], limit=10)
        if kind == "similar":
            request.strategy = reco_pb2.STRATEGY_SIMILAR
            request.context.product_id = product_id(rng.randrange(n))
        else:
            for _ in range(3):
                request.session.add(product_id=product_id(rng.randrange(n)), type=reco_pb2.EVENT_TYPE_VIEW_ITEM)
        yield request.SerializeToString()


def _loads(
    targets: Sequence[str],
    used_s: Callable[[], float],
    n: int,
    filters: Mapping[str, list[str]],
    given: argparse.Namespace,
) -> dict[str, dict[str, Any]]:
    """A load for each kind and share ("auto/0.1"); `used_s` tells what the recommenders took of the processors."""
    return {
        f"{kind}/{share}": _load(targets, used_s, _messages(kind, n, some), given.rate, given.seconds)
        for share, some in filters.items()
        for kind in KINDS
    }


def _load(
    targets: Sequence[str], used_s: Callable[[], float], messages: Iterator[bytes], rate: float, seconds: float
) -> dict[str, Any]:
    uvloop.run(grpc_load(targets, METHOD, messages, rate=rate / 5, seconds=WARM / (rate / 5)))
    before = used_s()
    result = uvloop.run(grpc_load(targets, METHOD, messages, rate=rate, seconds=seconds))
    used = used_s() - before
    return {
        "p50_ms": result.percentile_ms(50),
        "p99_ms": result.percentile_ms(99),
        "achieved_rps": result.achieved_rps,
        "errors": result.errors,
        "cpu_ms": 1000 * used / max(1, result.answered),
        "client_cpu_ms": 1000 * result.client_cpu_s / max(1, result.answered),
    }


if __name__ == "__main__":
    main()
