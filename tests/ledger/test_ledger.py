"""A short run of `make ledger`: the same parts, the same audit, one fault of each kind that matters most."""

import pytest

from tests.ledger.backends import backends
from tests.ledger.faults import Fault
from tests.ledger.run import run

pytestmark = pytest.mark.timeout(900)
FAULTS = [
    Fault(1.0, "rabbit", "frozen", 1.5),
    Fault(0.5, "queue_workers", "killed", 0),
    Fault(0.5, "postgres", "frozen", 1.0),
    Fault(0.5, "redis", "killed", 0.5),
    Fault(0.5, "rabbit", "killed", 0.5),
    Fault(0.5, "reco_svc", "killed", 0),
    Fault(0.5, "postgres", "killed", 0.5),
]


def test_every_acknowledged_event_is_in_the_log_once_whatever_is_killed_or_frozen() -> None:
    with backends() as stores:
        outcome = run(stores, seed=7, events=10_000, within_s=15, faults=FAULTS)
    assert not outcome.wrong, outcome.summary()
    assert outcome.acknowledged > 5_000, outcome.summary()
