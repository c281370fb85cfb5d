"""How fast the interaction log takes events: PostgreSQL beside SQLite in the same run, on this machine.

    python -m bench.stores postgresql://USER:PASSWORD@HOST:PORT/NAME [--events 100000] [--batch 1000]

The database is used as it is: name one of its own. The events are new ones, of three months, with ids like UUIDs. Each
store runs in a process of its own, because Django knows one database per process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reco_svc.domain.model import EventType, Interaction

PRODUCTS, VISITORS, DAYS = 2_000, 5_000, 90


def events(count: int) -> list[Interaction]:
    """`count` new views and purchases spread over `DAYS` days."""
    begin = datetime.now(UTC) - timedelta(days=DAYS)
    return [
        Interaction(
            event_id=str(uuid.uuid4()),
            type=EventType.PURCHASE if n % 20 == 0 else EventType.VIEW_ITEM,
            visitor_id=f"visitor-{n * 31 % VISITORS}",
            product_id=f"product-{n * 17 % PRODUCTS}",
            at=begin + timedelta(seconds=n * DAYS * 86_400 // count),
            price=9.99,
            currency="EUR",
        )
        for n in range(count)
    ]


def measure(url: str, home: Path, count: int, batch: int) -> float:
    """Events per second through `InteractionLog.append`, one writer, batches of `batch`."""
    from reco_svc.adapters import django_setup

    django_setup.configure(url, home)
    django_setup.migrate()
    from reco_svc.adapters.django_interaction_log import DjangoInteractionLog

    log, made = DjangoInteractionLog(), events(count)
    log.append(made[:10])
    began = time.perf_counter()
    for start in range(10, count, batch):
        log.append(made[start : start + batch])
    seconds = time.perf_counter() - began
    assert log.append(made[:batch]).duplicate == batch
    return (count - 10) / seconds


def main(arguments: Sequence[str]) -> None:
    """Both stores in turn; a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recomesh-bench-") as home:
        if given.only:
            sys.stdout.write(f"{measure(given.url, Path(home), given.events, given.batch)}\n")
            return
        rates = {}
        for name, url in (("sqlite", f"sqlite:///{home}/reco.db"), ("postgresql", given.url)):
            command = [sys.executable, "-m", "bench.stores", url, "--only"]
            command += ["--events", str(given.events), "--batch", str(given.batch)]
            rates[name] = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    report = {f"{name}_events_per_s": round(rate) for name, rate in rates.items()}
    ratio = rates["postgresql"] / rates["sqlite"]
    sys.stdout.write(json.dumps(report | {"postgresql_to_sqlite": round(ratio, 2), "batch": given.batch}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
