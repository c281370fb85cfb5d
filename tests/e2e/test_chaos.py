"""A slice of `make chaos`: one recommender of two is killed, frozen and made to talk nonsense, then all are gone.

The bounds are wide, for a machine that does other things too; `make chaos` holds the promises of docs/resilience.md.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.chaos.__main__ import products
from bench.chaos.cells import QUICK, Cell, Promise, run_cell, warm_up
from bench.chaos.extras import nothing_lost
from bench.chaos.rig import Rig, rig

pytestmark = pytest.mark.timeout(900)
RATE = 40.0
ONE_OF_TWO = Promise("hardly anybody notices", errors=0.02, event_errors=0.1, over_deadline_ms=1500)
ALL_GONE = Promise("degraded, not refused", errors=0.02, event_errors=None, over_deadline_ms=1500)


@pytest.fixture(scope="module")
def broken() -> Iterator[Rig]:
    with rig({}) as made:
        warm_up(made, products(made), rate=RATE)
        yield made


@pytest.mark.parametrize("cell", QUICK, ids=lambda cell: f"{cell.name} {cell.fault.value}")
def test_shoppers_are_answered_whatever_becomes_of_the_recommenders(broken: Rig, cell: Cell) -> None:
    promise = ONE_OF_TWO if cell.name.startswith("one") else ALL_GONE
    row, ledger = run_cell(broken, replace(cell, promise=promise, recovery_s=2.0), products(broken), rate=RATE)

    assert row.broken == []
    if promise is ALL_GONE:
        assert row.measured["degraded"] > 0.2  # the personal answers; shared ones may still be fresh from memory
    assert nothing_lost(broken, ledger.acknowledged).met
