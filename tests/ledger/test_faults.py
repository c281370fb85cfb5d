"""The plan of a run is drawn from its seed alone."""

from collections import Counter

from tests.ledger.faults import plan


def test_the_same_seed_plans_the_same_faults() -> None:
    assert plan(7, 20) == plan(7, 20)
    assert plan(7, 20) != plan(8, 20)


def test_every_part_is_hurt_in_every_way_before_any_is_twice() -> None:
    assert set(Counter((fault.part, fault.what) for fault in plan(7, 12)).values()) == {1}
