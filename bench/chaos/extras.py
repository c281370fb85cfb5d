"""Rows beyond the table of parts and faults: rolling restarts, a hot key, lost events; damage and overload."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from bench.chaos.cells import Row, figures, made
from bench.chaos.client import ChaosClient
from bench.chaos.damage import corrupt_snapshots, full_disk, opted_out
from bench.chaos.ledger import availability
from bench.chaos.overload import overload
from bench.chaos.rig import Rig, wait_for
from bench.chaos.traffic import shoppers

ROLLING_RPS = 200.0
WAITING = 500


def all_rows(rig: Rig, product_ids: Sequence[str], said: Callable[[Row], None], *, text: str = "") -> list[str]:
    """Measures every extra row whose name has the text and tells it; returns the ids of the events that were
    acknowledged meanwhile."""
    acknowledged: list[str] = []

    def disk() -> list[Row]:
        row, ledger = full_disk(rig, product_ids)
        acknowledged.extend(ledger.acknowledged)
        return [row]

    rows: dict[str, Callable[[], Sequence[Row]]] = {
        "rolling restarts": lambda: [rolling_restarts(rig, product_ids, times=10)],
        "hot key": lambda: [hot_key(rig, product_ids[0])],
        "opted-out": lambda: [opted_out(rig, product_ids)],
        "disk full": disk,
        "snapshot": lambda: corrupt_snapshots(rig, product_ids),
        "overload": lambda: [overload(rig)],
    }
    for name, measured in rows.items():
        for row in measured() if text in name else ():
            said(row)
    return acknowledged


def rolling_restarts(rig: Rig, product_ids: Sequence[str], *, times: int) -> Row:
    """The second recommender is restarted cleanly, again and again, under load: no request fails."""
    client = ChaosClient(rig.mesh.port, shoppers(product_ids, run="rolling"), rate=ROLLING_RPS)
    client.start()
    try:
        for _ in range(times):
            rig.restart_second()
        ended = client.now()
    finally:
        ledger = client.stop()
    span = ledger.between(0.0, ended)
    found = figures(span, [e for e in span if e.kind != "event"], 0.0)
    broken = [f"{name} {found[name]:g}" for name in ("errors", "event_errors") if found[name]]
    timeline = availability(ledger.entries, 0.0, ended)
    return made(f"{times} rolling restarts at {ROLLING_RPS:g}/s", "restart", "0 errors", found, broken, timeline)


def hot_key(rig: Rig, product_id: str) -> Row:
    """An answer that 500 callers want at once after it went out of date is asked for once."""
    path = f"/v1/products/{product_id}/similar?limit=7&filter=price%20%3E%201"  # a question nobody asked before
    before = _asked(rig)
    began = time.monotonic()
    statuses: list[int] = []
    barrier = threading.Barrier(20)

    def ask() -> None:
        with httpx.Client(base_url=str(rig.http.base_url), timeout=10, trust_env=False) as client:
            barrier.wait()
            statuses.extend(client.get(path).status_code for _ in range(WAITING // 20))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_leaderboard = int(time.monotonic() - began) + 2  # it asks once a second
    rebuilt = _asked(rig) - before
    found = {
        "callers": float(len(statuses)),
        "calls of the recommender": rebuilt,
        "of the leaderboard ≤": by_leaderboard,
    }
    broken = [] if rebuilt <= 1 + by_leaderboard else [f"{rebuilt:g} calls"]
    if set(statuses) - {200, 304}:
        broken.append(f"statuses {sorted(set(statuses))}")
    return made("hot key with 500 waiting", "expired", "1 rebuild per process", found, broken)


def nothing_lost(rig: Rig, acknowledged: Sequence[str]) -> Row:
    """Every event that was answered 202 in any cell is in the interaction log, once."""
    wanted = set(acknowledged)
    logged: list[str] = []

    def all_there() -> bool:
        logged[:] = _logged(rig)
        return wanted <= set(logged)

    with contextlib.suppress(TimeoutError):  # the row then says how many are missing
        wait_for(all_there, "all acknowledged events in the log")
    missing, twice = len(wanted - set(logged)), len(logged) - len(set(logged))
    found = {"acknowledged": float(len(wanted)), "lost": float(missing), "twice": float(twice)}
    broken = [f"{name} {found[name]:g}" for name in ("lost", "twice") if found[name]]
    return made("events", "all of the above", "nothing acknowledged is lost, nothing counts twice", found, broken)


def _logged(rig: Rig) -> list[str]:
    query = "SELECT event_id FROM reco_interaction"
    if "database" in rig.servers:
        import psycopg2

        with psycopg2.connect(rig.servers["database"].url) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return [event_id for (event_id,) in cursor.fetchall()]
    path = Path(rig.mesh.settings.home) / "reco.db"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [event_id for (event_id,) in connection.execute(query)]
    finally:
        connection.close()


def _asked(rig: Rig) -> float:
    """Attempts of BatchRecommend so far, as the edge counts them."""
    url = f"http://127.0.0.1:{rig.mesh.settings.edge_metrics_port}/metrics"
    lines = httpx.get(url, timeout=5, trust_env=False).text.splitlines()
    wanted = 'recomesh_edge_attempts_total{method="BatchRecommend",part="reco"}'
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(wanted))
