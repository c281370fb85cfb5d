"""Writes recomesh_cli/capacity/measured.json from bench/results/: `python -m bench.constants --home DIR` after
`make bench` and `python -m bench.scale` at 10,000 (--home DIR) and at a million products."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import orjson

from bench import report
from bench.scale.made import product_id
from bench.service_times import service_times_ms
from recomesh_cli.capacity.constants import MEASURED, Constants

SCALE = report.RESULTS.with_name("scale.json")
MB = 2**20


def constants(mesh: dict[str, Any], scale: dict[str, Any], service_ms: list[float]) -> Constants:
    """KeyError names what was not measured yet."""
    cases = {name: case["cpu_ms"] for name, case in mesh["cases"].items()}
    few, many = scale["10000"], scale["1000000"]
    more = many["made"]["products"] - few["made"]["products"]
    own = (many["reco_private_mb"] - few["reco_private_mb"]) * MB / more
    events, at = mesh["cases"]["events"]["things_per_request"], mesh["machine"]
    return Constants(
        source=f"bench/results/ of {at['at'][:10]}, {at['cpus']} cores, {at['model']}, Python {at['python']}",
        edge_hot_ms=cases["hot"]["edge"],
        edge_cold_ms=cases["cold"]["edge"],
        edge_event_ms=cases["events"]["edge"] / events,
        reco_cold_ms=cases["cold"]["reco_svc"],
        reco_event_ms=cases["events"]["reco_svc"] / events,
        catalog_read_ms=mesh["catalog_read_ms"],
        worker_event_ms=cases["events"]["queue_workers"] / events,
        reco_base_mb=few["reco_private_mb"] - own * few["made"]["products"] / MB,
        reco_shared_bytes_per_product=many["made"]["snapshot_bytes"] / many["made"]["products"],
        reco_own_bytes_per_product=own,
        catalog_bytes_per_product=mesh["times"]["catalog_bytes_per_product"],
        log_bytes_per_event=mesh["times"]["log_bytes_per_event"],
        events_per_s_of_one_writer=mesh["times"]["events_imported_per_s"],
        reco_service_ms=tuple(service_ms),
    )


def main() -> None:
    """Reads, writes, says where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="where python -m bench.scale --products 10000 made it")
    home = parser.parse_args().home
    service_ms = service_times_ms(home, [product_id(row) for row in range(10_000)])
    made = constants(orjson.loads(report.RESULTS.read_bytes()), orjson.loads(SCALE.read_bytes()), service_ms)
    fields = {
        name: round(value, 4) if isinstance(value, float) else value
        for name in Constants.__slots__
        for value in (getattr(made, name),)
    }
    Path(MEASURED).write_bytes(orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.write(f"{MEASURED}\n")


if __name__ == "__main__":
    main()
