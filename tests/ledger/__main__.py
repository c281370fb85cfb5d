"""`make ledger`: 100,000 events under random faults, and the books compared. Exits with 1 when they do not agree."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from meshkit import logs
from tests.ledger.backends import backends
from tests.ledger.faults import plan
from tests.ledger.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="make ledger ARGS=…", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--faults", type=int, default=24, help="how often something is killed, frozen or restarted")
    parser.add_argument("--within", type=float, default=180.0, help="seconds over which the events are spread")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of faults and events")
    parser.add_argument("--log", type=Path, help="file for the log of the mesh")
    given = parser.parse_args()
    logs.configure("ledger", level="error")
    sys.stderr.write(f"seed {given.seed}\n")
    with backends(given.log) as stores:
        outcome = run(
            stores,
            seed=given.seed,
            events=given.events,
            within_s=given.within,
            faults=plan(given.seed, given.faults),
        )
    sys.stdout.write(f"seed {given.seed}: {outcome.summary()}\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
