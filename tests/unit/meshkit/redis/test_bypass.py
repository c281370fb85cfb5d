"""When a store is left alone."""

from collections.abc import Callable

import pytest

from meshkit.redis.bypass import Bypass


class Store:
    def __init__(self) -> None:
        self.up = True
        self.now = 0.0
        self.probes: list[float] = []
        self.told: list[bool] = []
        self.waiting: list[Callable[[], None]] = []
        self.bypass = Bypass(
            self._probe, changed=self.told.append, clock=lambda: self.now, spawn=lambda work: self.waiting.append(work)
        )

    def _probe(self) -> bool:
        self.probes.append(self.now)
        return self.up

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            assert self.bypass.away in (True, False)  # callers keep asking
            while self.waiting:
                self.waiting.pop()()


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_store_that_works_is_never_probed(store: Store) -> None:
    store.pass_time(10)

    assert not store.bypass.away
    assert store.probes == []


def test_after_a_failure_nobody_asks_until_a_probe_has_answered(store: Store) -> None:
    store.bypass.failed()
    assert store.bypass.away
    store.pass_time(0.2)

    assert not store.bypass.away
    assert len(store.probes) == 1
    assert store.told == [True, False]


def test_probes_of_a_dead_store_come_at_growing_distances_up_to_a_second(store: Store) -> None:
    store.up = False
    store.bypass.failed()
    store.pass_time(10)

    waits = [later - earlier for earlier, later in zip(store.probes, store.probes[1:], strict=False)]
    assert store.bypass.away
    assert waits[:3] == pytest.approx([0.2, 0.4, 0.8], abs=0.06)
    assert waits[3:] == pytest.approx([1.0] * len(waits[3:]), abs=0.06)


def test_one_probe_at_a_time(store: Store) -> None:
    store.bypass.failed()
    store.now = 5.0
    assert [store.bypass.away for _ in range(100)] == [True] * 100

    assert len(store.waiting) == 1


def test_many_failures_at_once_are_one_outage(store: Store) -> None:
    for _ in range(50):
        store.bypass.failed()

    assert store.told == [True]
