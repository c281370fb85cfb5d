"""Writes the figures of docs/performance.md and docs/capacity.md anew from bench/results/ and recomesh_cli/capacity:
`python -m bench.figures`. What stands between two marks of a page is replaced, the rest is left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from bench import report
from bench.constants import SCALE
from recomesh_cli.capacity.constants import Constants, measured
from recomesh_cli.capacity.estimate import Demand, estimate, first_to_break, utilisation
from recomesh_cli.capacity.queueing import response_p99_ms

DOCS = report.ROOT / "docs"
GROWTH = {
    "10,000 requests a second, nothing cached, 100,000 products": Demand(10_000, 0.0, 100_000, 1_000, 2.6e9),
    "100,000 requests a second, 95 % answered by edges, 100,000 products": Demand(1e5, 0.95, 100_000, 10_000, 1e9),
    "100 million products, 1,000 requests a second, half from memory": Demand(1_000, 0.5, 100_000_000, 100, 1e9),
    "1 billion events kept, 2,000 arriving a second": Demand(2_000, 0.5, 100_000, 2_000, 1e9),
}


def main() -> None:
    """Rewrites both pages."""
    mesh, known = report.known(), measured()
    scale = orjson.loads(SCALE.read_bytes()) if SCALE.exists() else {}
    replace(DOCS / "performance.md", {"mesh": mesh_table(mesh), "scale": scale_table(scale)})
    replace(
        DOCS / "capacity.md", {"cases": growth_tables(known), "queue": queue_table(known), "constants": costs(known)}
    )


def replace(page: Path, parts: dict[str, str]) -> None:
    """ValueError if a mark is missing."""
    text = page.read_text()
    for name, part in parts.items():
        mark = rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- end of {name} -->)"
        text, count = re.subn(mark, lambda found, part=part: f"{found[1]}{part}{found[2]}", text, flags=re.DOTALL)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"{page.name} has {count} places for {name}")
    page.write_text(text)


def mesh_table(mesh: dict[str, Any]) -> str:
    """Of the cases, then of what is measured once."""
    if not mesh:
        return "Not measured yet.\n"
    where = mesh["machine"]
    lines = [
        f"{mesh['products']:,} products; {where['cpus']} cores of {where['model']}, Python {where['python']}, "
        f"{where['at'][:10]}. Everything ran on this machine, the load generator too.",
        "",
        "| call | holds, /s | p50 / p99 ms | target | of bare HTTP | beside | CPU ms, all processes | generator |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, bare in mesh["bare"].items():
        lines.append(
            f"| bare {name} server | {bare['rps']:,.0f} | – / {bare['p99_ms']} | | 1.00 | | {bare['cpu_ms']:.3f} | |"
        )
    lines += [_case(case) for case in mesh["cases"].values()]
    lines += ["", "| once | measured | target | met |", "|---|---|---|---|"]
    lines += [f"| {what} | {value} | {target} | {met} |" for what, value, target, met in report.once(mesh)]
    return "\n".join([*lines, "", "![p99 by rate](../bench/results/mesh.svg)"]) + "\n"


def _case(case: dict[str, Any]) -> str:
    things, target, peer = case["things_per_request"], case["target"], case["peer"]
    held = case["rps"] * things
    latency = f"{case['p50_ms']:.1f} / {case['p99_ms']:.1f}" if held else "–"
    beside = f"{held / peer['rps']:.1f} × {peer['name']} ({peer['rps']:,})" if peer else ""
    met = "met" if held >= target["rps"] else "**not met**"
    wanted = f"{target['rps']:,} at {target['p99_ms']:g} ms: {met}"
    cpu = sum(case["cpu_ms"].values())
    share, client = report.share_of_bare(case), case["client_share"]
    return (
        f"| {case['what']} | {held:,.0f} | {latency} | {wanted} | {share:.2f} | {beside} | {cpu:.2f} | {client:.0%} |"
    )


def scale_table(scale: dict[str, Any]) -> str:
    """A row for each kind of question and selectivity, columns for each size."""
    if not scale:
        return "Not measured yet.\n"
    sizes = sorted(scale, key=int)
    least = scale[sizes[0]]
    pair = scale[sizes[-1]].get("two_recommenders", {}).get("loads", {})
    lines = [
        "| asked, filter leaves | "
        + " | ".join(f"{int(s):,}: p50 / p99 ms, CPU ms, recall@10" for s in sizes)
        + " | CPU, last : first | two recommenders, last: p50 / p99 ms, CPU ms |",
        "|---|" + "---|" * (len(sizes) + 2),
    ]
    for key in least["loads"]:
        kind, share = key.split("/")
        cells = []
        for size in sizes:
            load, recall = scale[size]["loads"][key], scale[size]["recall"][share]
            recall_text = f", {recall:.3f}" if kind == "similar" else ""
            errors = f", {load['errors']} errors" if load["errors"] else ""
            cells.append(f"{load['p50_ms']:.1f} / {load['p99_ms']:.1f}, {load['cpu_ms']:.2f}{recall_text}{errors}")
        ratio = scale[sizes[-1]]["loads"][key]["cpu_ms"] / least["loads"][key]["cpu_ms"]
        two = f"{pair[key]['p50_ms']:.1f} / {pair[key]['p99_ms']:.1f}, {pair[key]['cpu_ms']:.2f}" if pair else ""
        lines.append(f"| {kind}, {float(share):.1%} | " + " | ".join(cells) + f" | {ratio:.2f} | {two} |")
    lines += [
        "",
        "| products | index | written | vectors and index | ready | recommender resident, its own | two together |",
        "|---|---|---|---|---|---|---|",
    ]
    for size in sizes:
        one, made, both = scale[size], scale[size]["made"], scale[size].get("two_recommenders")
        lines.append(
            f"| {int(size):,} | {made['index_s']:.0f} s | {made['write_s']:.0f} s | "
            f"{(made['vector_bytes'] + made['index_bytes']) / 1e9:.2f} GB | {one['start_s']:.0f} s | "
            f"{one['reco_rss_mb']:,.0f} MB, {one['reco_private_mb']:,.0f} MB | "
            + (f"{both['rss_mb']:,.0f} MB resident, {both['pss_mb']:,.0f} MB in all |" if both else "|")
        )
    return "\n".join(lines) + "\n"


def growth_tables(known: Constants) -> str:
    """One table for each case of growth, on machines of 4 cores and 16 GB."""
    lines = []
    for title, demand in GROWTH.items():
        parts = estimate(demand, known)
        weakest = first_to_break(parts)
        lines += [
            f"### {title}",
            "",
            "| part | machines | counted by | of the fewest | grows by | why |",
            "|---|---|---|---|---|---|",
        ]
        for part in parts:
            cells = (part.name, str(part.machines), part.bound, f"{part.load:.0%}", part.engine, part.why)
            lines.append("| " + " | ".join(cells) + " |")
        total = sum(part.machines for part in parts)
        lines += ["", f"{total} machines. **{weakest.name}** gives in first: {weakest.bound}.", ""]
    return "\n".join(lines)


def queue_table(known: Constants) -> str:
    """What the simulation says of the response time."""
    lines = ["| processes | " + " | ".join(f"{busy:.0%} busy" for busy in BUSY) + " | may be |", "|---|" + "---|" * 6]
    for servers in (1, 2, 4, 16):
        times = [response_p99_ms(busy, known.reco_service_ms, servers) for busy in BUSY]
        lines.append(
            f"| {servers} | " + " | ".join(f"{t:.1f}" for t in times) + f" | {utilisation(known, servers):.0%} |"
        )
    return "\n".join(lines) + "\n"


BUSY = (0.3, 0.5, 0.6, 0.8, 0.9)


def costs(known: Constants) -> str:
    """The table of constants."""
    lines = [f"{known.source}.", "", "| constant | value |", "|---|---|"]
    for name in Constants.__slots__:
        value = getattr(known, name)
        if isinstance(value, float | int):
            lines.append(f"| `{name}` | {value:,.3f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
