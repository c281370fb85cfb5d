"""`recomesh capacity`: how many machines a load takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from recomesh_cli import console
from recomesh_cli.capacity.constants import measured
from recomesh_cli.capacity.estimate import Demand, estimate, first_to_break
from recomesh_cli.options import AsJson

DAYS_KEPT, PEAK = 90, 3.0


def capacity(
    rps: Annotated[float, typer.Option(min=1, help="Requests a second at the peak.")],
    products: Annotated[int, typer.Option(min=1, help="Products in the catalog.")],
    hot: Annotated[float, typer.Option(min=0, max=1, help="Share of requests that an edge answers from memory.")] = 0.5,
    events_per_s: Annotated[float | None, typer.Option(min=0, help="At the peak; default: a tenth of --rps.")] = None,
    events_kept: Annotated[
        float | None, typer.Option(min=0, help="Events in the log; default: 90 days at a third of the peak.")
    ] = None,
    cores: Annotated[int, typer.Option(min=1, max=256, help="Cores of a machine.")] = 4,
    memory_gb: Annotated[float, typer.Option(min=2, help="Memory of a machine, GB.")] = 16.0,
    as_json: AsJson = False,
) -> None:
    """Estimate the machines for a load, and which part gives in first.

    The constants were measured by `make bench` and `python -m bench.scale`; docs/capacity.md explains them.

    Example: `recomesh capacity --rps 10000 --products 1000000 --hot 0.8 --events-per-s 2000`
    """
    known = measured()
    events = rps / 10 if events_per_s is None else events_per_s
    kept = events / PEAK * 86_400 * DAYS_KEPT if events_kept is None else events_kept
    demand = Demand(rps, hot, products, events, kept, cores, memory_gb)
    parts = estimate(demand, known)
    weakest = first_to_break(parts)
    if as_json:
        console.write_json(
            {
                "demand": asdict(demand),
                "parts": [asdict(part) for part in parts],
                "machines": sum(part.machines for part in parts),
                "breaks_first": weakest.name,
                "source": known.source,
            }
        )
        return
    rows = [(p.name, str(p.machines), p.bound, f"{p.load:.0%}", p.engine, p.why) for p in parts]
    columns = ("part", "machines", "counted by", "of the fewest", "grows by", "why")
    console.out().print(console.table("", columns, rows, right=("machines", "of the fewest")))
    machines = sum(part.machines for part in parts)
    console.out().print(f"{machines} machines of {cores} cores and {memory_gb:g} GB; {weakest.name} gives in first.")
    console.err().print(f"Constants: {known.source}")
