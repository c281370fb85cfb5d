"""Breaks every part of a real mesh under load: `python -m bench.chaos [--quick] [--cell TEXT] [--embedded]`.

Starts a private mesh with two recommenders and a small shop, over Redis, PostgreSQL and RabbitMQ where their programs
are installed, with a proxy of ours in front of each part. Everything stays on loopback and ends by itself.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from bench.chaos import extras, report
from bench.chaos.cells import CELLS, QUICK, Cell, Row, run_cell, warm_up
from bench.chaos.rig import Rig, rig
from tests.support.mongo_server import MongoServer
from tests.support.servers import PostgresServer, RabbitServer, RedisServer, Server

SWITCH_INTERVAL_S = 0.0005  # client and proxies share this interpreter: what they wait for each other is not the mesh's


def main() -> None:
    """Runs the cells asked for; exits with 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="four cells on embedded stores")
    parser.add_argument("--embedded", action="store_true", help="no Redis, PostgreSQL, RabbitMQ")
    parser.add_argument("--cell", action="append", default=[], help='only cells with this text, such as "catalog"')
    parser.add_argument(
        "--extras",
        nargs="?",
        const="",
        help="the rows past the cells too, or those with this text (alone: --cell none)",
    )
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second (default 100)")
    parser.add_argument("--plot", type=Path, help="write the picture here too")
    given = parser.parse_args()
    console = Console(stderr=True)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    rows: list[Row] = []
    try:
        measure(rows, given, console)
    finally:  # also when the time is up (`make chaos` interrupts it): what was measured is not lost
        report.show(rows, Console(width=160))
        console.print(f"written to {report.write(rows, rate=given.rate, plot_to=given.plot)}")
    sys.exit(0 if all(row.met for row in rows) else 1)


def measure(rows: list[Row], given: argparse.Namespace, console: Console) -> None:
    """Adds a row for each cell that was asked for."""
    acknowledged: list[str] = []
    with servers(embedded=given.embedded or given.quick) as found, rig(found) as broken:
        product_ids = products(broken)
        warm_up(broken, product_ids, rate=given.rate)

        def said(row: Row) -> None:
            console.print(f"{row.name}, {row.fault}: {'as promised' if row.met else row.broken} {row.measured}")
            rows.append(row)

        for cell in chosen(QUICK if given.quick else CELLS, broken, given.cell):
            row, ledger = run_cell(broken, cell, product_ids, rate=given.rate)
            said(row)
            acknowledged += ledger.acknowledged
        if given.extras is not None or not (given.quick or given.cell):
            acknowledged += extras.all_rows(broken, product_ids, said, text=given.extras or "")
        rows.append(extras.nothing_lost(broken, acknowledged))


def chosen(cells: list[Cell], broken: Rig, wanted: list[str]) -> list[Cell]:
    """The cells whose parts this mesh has and whose name or fault has one of the `wanted` texts."""
    there = {*broken.proxies, "edge", "worker"}
    possible = [cell for cell in cells if there.issuperset(cell.parts)]
    return [c for c in possible if not wanted or any(text in f"{c.name} {c.fault.value}" for text in wanted)]


def products(broken: Rig) -> list[str]:
    """Ids of products that can be bought."""
    found = broken.http.get("/v1/products", params={"page_size": 100, "filter": "in_stock = true"}).json()
    return [product["product_id"] for product in found["products"]]


@contextmanager
def servers(*, embedded: bool) -> Iterator[dict[str, tuple[Server, str]]]:
    """Started servers by part, with the setting that takes their URL; only those whose programs are installed."""
    kinds: list[tuple[str, str, str, type[Server]]] = [
        ("redis", "redis-server", "cache_url", RedisServer),
        ("database", "/usr/lib/postgresql", "database_url", PostgresServer),
        ("broker", "rabbitmq-server", "broker_url", RabbitServer),
    ]
    with ExitStack() as stack:
        started: dict[str, tuple[Server, str]] = {}
        for part, program, setting, kind in kinds if not embedded else ():
            if shutil.which(program) or Path(program).is_dir():
                server = kind()
                stack.callback(server.stop)
                server.start()
                started[part] = (server, setting)
        if "database" in started and (shutil.which("mongod") or shutil.which("go")):
            behind = PostgresServer()  # of its own: the database suffers alone
            stack.callback(behind.stop)
            behind.start()
            products = MongoServer(behind)
            stack.callback(products.stop)
            products.start()
            started["products"] = (products, "catalog_url")
        yield started


if __name__ == "__main__":
    main()
