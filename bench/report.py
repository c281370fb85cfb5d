"""What runs found: kept as JSON in bench/results/, shown beside targets, peers and what was last committed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results" / "mesh.json"


def known() -> dict[str, Any]:
    """What was measured so far; {} at first. A run replaces what it measures and leaves the rest."""
    return dict(orjson.loads(RESULTS.read_bytes())) if RESULTS.exists() else {}


def write(found: dict[str, Any]) -> None:
    """Writes what `known` reads."""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def committed() -> dict[str, Any]:
    """The same file as it was last committed; {} if it never was, or there is no git."""
    command = ["git", "-C", str(ROOT), "show", f"HEAD:{RESULTS.relative_to(ROOT)}"]
    try:
        told = subprocess.run(command, capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(orjson.loads(told.stdout))


def show(found: dict[str, Any], before: dict[str, Any], console: Console) -> None:
    """Tables for people. Ratios to the committed run are of shares of the bare server, so that a slower machine is not
    taken for slower code."""
    cases = Table(title=f"{found.get('products', 0):,} products, everything on this machine, load generator too")
    columns = (
        "case",
        "holds /s",
        "p50 ms",
        "p99 ms",
        "target",
        "met",
        "of bare",
        "of last",
        "of peer",
        "CPU ms",
        "client",
    )
    for column in columns:
        cases.add_column(column, justify="left" if column == "case" else "right")
    for name, bare in found.get("bare", {}).items():
        cpu = f"{bare['cpu_ms']:.3f}"
        cases.add_row(
            f"bare {name}", f"{bare['rps']:,.0f}", "", _number(bare["p99_ms"]), "", "", "1.00", "", "", cpu, ""
        )
    for name, case in found.get("cases", {}).items():
        cases.add_row(*_row(case, before.get("cases", {}).get(name)))
    console.print(cases)
    rest = Table(title="once")
    for column in ("what", "measured", "target", "met"):
        rest.add_column(column, justify="left" if column == "what" else "right")
    for what, value, target, met in once(found):
        rest.add_row(what, value, target, met)
    console.print(rest)


def share_of_bare(case: dict[str, Any]) -> float:
    """Requests a second over those that the bare server held in the same run."""
    return case["rps"] / case["bare_rps"] if case["bare_rps"] else 0.0


def _row(case: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    target, things = case["target"], case["things_per_request"]
    peer, held = case["peer"], case["rps"] * things
    old = share_of_bare(before) if before else 0.0
    return [
        case["what"],
        f"{held:,.0f}" if held else "none",
        _number(case["p50_ms"]),
        _number(case["p99_ms"]),
        f"{target['rps']:,.0f} at {target['p99_ms']:g} ms",
        "yes" if held >= target["rps"] else "no",
        f"{share_of_bare(case):.2f}",
        f"{share_of_bare(case) / old:.2f}" if old else "",
        f"{held / peer['rps']:.1f}× {peer['name']}" if peer else "",
        f"{sum(case['cpu_ms'].values()):.2f}",
        f"{case['client_share']:.0%}",
    ]


def once(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What, how much, target, met: of everything that is not a rate."""
    rows = []
    times, swap, start = found.get("times", {}), found.get("swap"), found.get("start_s")
    if rate := times.get("products_upserted_per_s"):
        rows.append(("products upserted /s", f"{rate:,.0f}", "≥ 10,000", _met(rate >= 10_000)))
    if seconds := times.get("online_retail_s"):
        rows.append(("import of Online Retail, s", f"{seconds:.0f}", "≤ 60", _met(seconds <= 60)))
    if rate := times.get("events_imported_per_s"):
        rows.append(("events imported /s", f"{rate:,.0f}", "", ""))
    if start:
        rows.append(("first recommendation after `recomesh up`, warm, s", f"{start:.1f}", "≤ 10", _met(start <= 10)))
    if swap:
        value = (
            f"{swap['errors']} errors, p99 {swap['ms']['99']:.1f} ms at {swap['rate']:,.0f}/s, {swap['swaps']} swaps"
        )
        rows.append(
            ("snapshot swap under load", value, "0, ≤ 50 ms", _met(not swap["errors"] and swap["ms"]["99"] <= 50))
        )
    for name, mb in found.get("rss_mb", {}).items():
        rows.append((f"memory of {name}, MB", f"{mb:,.0f}", "", ""))
    return rows


def _met(met: bool) -> str:
    return "yes" if met else "no"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
