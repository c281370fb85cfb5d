"""Stand-in shops as task folders: `python -m bench.ranking OUT [--of TASKDIR] [--only clicks,long]`.

Writes OUT/clicks and OUT/long, and OUT/cold made of the task folder `--of`; see stand_ins. Each is then evaluated like
any other (`recomesh evaluate OUT/clicks`) beside the peers (`make peers TASK=OUT/clicks`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench.ranking.stand_ins import Shop, clicks, cold_of, long_histories


def main() -> None:
    """Makes and writes each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--of", type=Path, help="the task folder that `cold` is made of")
    parser.add_argument("--only", default="", help="comma-separated of: clicks, long, cold")
    given = parser.parse_args()
    makers: dict[str, Callable[[], Shop]] = {"clicks": clicks, "long": long_histories}
    if given.of:
        makers["cold"] = partial(cold_of, given.of)
    for name, make in _wanted(parser, makers, given.only).items():
        shop = make()
        shop.write(given.out / name)
        print(f"{name}: {len(shop.events):,} events, {len(shop.products):,} products, {len(shop.queries):,} questions")


def _wanted(
    parser: argparse.ArgumentParser, makers: Mapping[str, Callable[[], Shop]], only: str
) -> Mapping[str, Callable[[], Shop]]:
    names = only.split(",") if only else list(makers)
    if unknown := set(names) - set(makers):
        parser.error(f"can not make: {', '.join(sorted(unknown))} (cold needs --of)")
    return {name: makers[name] for name in names}


if __name__ == "__main__":
    main()
