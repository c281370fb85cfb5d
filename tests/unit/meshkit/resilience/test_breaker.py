"""The circuit breaker: when it opens, what it lets through, how it closes."""

import asyncio
import time

import pytest

from meshkit.errors import CircuitOpen
from meshkit.resilience.breaker import BreakerPolicy, CircuitBreaker, CircuitState

POLICY = BreakerPolicy(slow_s=0.25, window_s=10, minimum_calls=6, open_s=0.5, probes=2)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("reco", POLICY, clock=clock)


def called(breaker: CircuitBreaker, clock: Clock, *, failed: bool = False, took_s: float = 0.0, times: int = 1) -> None:
    for _ in range(times):
        permit = breaker.admit()
        clock.now += took_s
        permit.settle(failed=failed)


def opened(breaker: CircuitBreaker, clock: Clock) -> None:
    called(breaker, clock, failed=True, times=6)
    assert breaker.state is CircuitState.OPEN


def test_it_stays_closed_below_the_minimum_of_calls(breaker, clock):
    called(breaker, clock, failed=True, times=5)
    assert breaker.state is CircuitState.CLOSED


def test_half_of_the_calls_failing_opens_it(breaker, clock):
    called(breaker, clock, times=3)
    called(breaker, clock, failed=True, times=2)
    assert breaker.state is CircuitState.CLOSED
    called(breaker, clock, failed=True)
    assert breaker.state is CircuitState.OPEN


def test_a_part_that_was_starting_is_not_cut_off_by_the_good_call_that_makes_it_half(breaker, clock):
    called(breaker, clock, failed=True, times=3)
    called(breaker, clock, times=3)
    assert breaker.state is CircuitState.CLOSED
    called(breaker, clock, failed=True)
    assert breaker.state is CircuitState.OPEN


def test_a_busy_part_that_dies_need_not_outweigh_its_good_calls(breaker, clock):
    called(breaker, clock, times=1_000)
    called(breaker, clock, failed=True, times=5)
    called(breaker, clock)
    called(breaker, clock, failed=True, times=5)
    assert breaker.state is CircuitState.CLOSED
    called(breaker, clock, failed=True)
    assert breaker.state is CircuitState.OPEN


def test_calls_that_crawl_open_it_although_none_fails(breaker, clock):
    called(breaker, clock, took_s=0.25, times=6)
    assert breaker.state is CircuitState.OPEN


def test_failures_that_are_older_than_the_window_do_not_count(breaker, clock):
    called(breaker, clock, failed=True, times=5)
    clock.now += POLICY.window_s + 0.1
    called(breaker, clock, failed=True)
    assert breaker.state is CircuitState.CLOSED
    assert breaker.counts == (1, 1, 0)


def test_an_open_circuit_refuses_at_once_and_says_for_how_long(breaker, clock):
    opened(breaker, clock)
    clock.now += 0.2
    with pytest.raises(CircuitOpen) as refused:
        breaker.admit()
    assert refused.value.retry_after_s == pytest.approx(0.3)
    assert refused.value.part == "reco"


def test_one_probe_at_a_time_and_two_good_ones_close_it(breaker, clock):
    opened(breaker, clock)
    clock.now += POLICY.open_s
    probe = breaker.admit()
    assert probe.probe
    with pytest.raises(CircuitOpen):
        breaker.admit()
    probe.settle(failed=False)
    assert breaker.state is CircuitState.HALF_OPEN
    called(breaker, clock)
    assert breaker.state is CircuitState.CLOSED
    assert breaker.counts == (0, 0, 0)


@pytest.mark.parametrize(("failed", "took_s"), [(True, 0.0), (False, 0.4)])
def test_a_bad_or_slow_probe_opens_it_again(breaker, clock, failed, took_s):
    opened(breaker, clock)
    clock.now += POLICY.open_s
    called(breaker, clock, failed=failed, took_s=took_s)
    with pytest.raises(CircuitOpen):
        breaker.admit()
    clock.now += POLICY.open_s
    assert breaker.admit().probe


def test_a_probe_that_was_given_up_makes_room_for_the_next(breaker, clock):
    opened(breaker, clock)
    clock.now += POLICY.open_s
    breaker.admit().release()
    assert breaker.admit().probe


def test_calls_from_before_the_circuit_opened_have_no_say_afterwards(breaker, clock):
    late = [breaker.admit() for _ in range(3)]
    opened(breaker, clock)
    clock.now += POLICY.open_s
    breaker.admit().settle(failed=False)
    for permit in late:
        permit.settle(failed=True)
    assert breaker.state is CircuitState.HALF_OPEN
    called(breaker, clock)
    assert breaker.state is CircuitState.CLOSED


def test_a_permit_counts_once(breaker, clock):
    permit = breaker.admit()
    for _ in range(10):
        permit.settle(failed=True)
    permit.release()
    assert breaker.counts == (1, 1, 0)


def test_many_calls_under_way_at_once_do_not_wait_for_each_other(breaker):
    async def run() -> None:
        gate = asyncio.Event()

        async def one(failed: bool) -> None:
            permit = breaker.admit()
            await gate.wait()
            permit.settle(failed=failed)

        calls = [asyncio.create_task(one(n % 2 == 0)) for n in range(100)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*calls)

    asyncio.run(run())
    assert breaker.state is CircuitState.OPEN


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_jump_of_the_wall_clock_changes_nothing(monkeypatch, jump_s):
    breaker = CircuitBreaker("reco", BreakerPolicy(slow_s=60, open_s=60))
    for _ in range(6):
        breaker.admit().settle(failed=True)
    wall = time.time() + jump_s
    monkeypatch.setattr(time, "time", lambda: wall)
    with pytest.raises(CircuitOpen) as refused:
        breaker.admit()
    assert 0 < refused.value.retry_after_s <= 60


def test_whoever_watches_hears_of_each_new_state(clock):
    heard: list[CircuitState] = []
    breaker = CircuitBreaker("reco", POLICY, clock=clock, changed=heard.append)
    opened(breaker, clock)
    clock.now += POLICY.open_s
    called(breaker, clock, times=2)
    assert heard == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]
