"""The limit in memory, on a clock that the test moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshkit.limiting.gcra import MemoryLimiter
from meshkit.limiting.quota import Quota

TEN_IN_FIVE_S = Quota("read", 10, 5.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> MemoryLimiter:
    return MemoryLimiter(clock=clock)


def test_the_quota_may_be_used_at_once_and_comes_back_evenly(limiter: MemoryLimiter, clock: Clock) -> None:
    taken = [limiter.take("k", TEN_IN_FIVE_S) for _ in range(12)]
    assert [decision.allowed for decision in taken] == [True] * 10 + [False] * 2
    assert [decision.remaining for decision in taken] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]
    assert taken[-1].retry_after_s == pytest.approx(0.5)

    clock.now += 0.5
    assert limiter.take("k", TEN_IN_FIVE_S).allowed
    assert not limiter.take("k", TEN_IN_FIVE_S).allowed


def test_keys_do_not_share(limiter: MemoryLimiter) -> None:
    for _ in range(10):
        limiter.take("k", TEN_IN_FIVE_S)

    assert not limiter.take("k", TEN_IN_FIVE_S).allowed
    assert limiter.take("other", TEN_IN_FIVE_S).allowed


def test_looking_costs_nothing(limiter: MemoryLimiter) -> None:
    assert [limiter.take("k", TEN_IN_FIVE_S, 0).remaining for _ in range(50)] == [10] * 50
    limiter.take("k", TEN_IN_FIVE_S, 10)
    assert not limiter.take("k", TEN_IN_FIVE_S, 0).allowed


def test_a_call_that_costs_more_than_the_quota_waits_for_all_of_it_and_is_paid_back(
    limiter: MemoryLimiter, clock: Clock
) -> None:
    limiter.take("k", TEN_IN_FIVE_S)
    assert not limiter.take("k", TEN_IN_FIVE_S, 30).allowed

    clock.now += 0.5
    assert limiter.take("k", TEN_IN_FIVE_S, 30).allowed
    refused = limiter.take("k", TEN_IN_FIVE_S)
    assert refused.retry_after_s == pytest.approx(10.5)


@given(st.lists(st.floats(0.0, 0.4), min_size=60, max_size=120))
def test_over_any_stretch_no_more_is_allowed_than_the_quota_says(waits: list[float]) -> None:
    clock, times = Clock(), []
    limiter = MemoryLimiter(clock=clock)
    for wait in waits:
        clock.now += wait
        if limiter.take("k", TEN_IN_FIVE_S).allowed:
            times.append(clock.now)

    for first in range(0, len(times), 7):
        for last in range(first, len(times)):
            assert last - first + 1 <= 10 + (times[last] - times[first]) * 2 + 1e-6


@pytest.mark.parametrize("calls_per_s", [3, 20, 1000])
def test_a_caller_that_keeps_asking_gets_the_rate_to_one_percent(clock: Clock, calls_per_s: int) -> None:
    limiter, quota, seconds = MemoryLimiter(clock=clock), Quota("read", 20, 10.0), 600
    allowed = 0
    for _ in range(seconds * calls_per_s):
        allowed += limiter.take("k", quota).allowed
        clock.now += 1 / calls_per_s

    assert allowed == pytest.approx(20 + 2 * seconds, rel=0.01)


def test_the_keys_used_longest_ago_are_forgotten_first(clock: Clock) -> None:
    limiter = MemoryLimiter(max_keys=2, clock=clock)
    for key in ("a", "b", "a", "c"):
        limiter.take(key, TEN_IN_FIVE_S)

    assert len(limiter) == 2
    assert limiter.take("a", TEN_IN_FIVE_S, 0).remaining == 8
    assert limiter.take("b", TEN_IN_FIVE_S, 0).remaining == 10


@pytest.mark.parametrize(
    ("per_minute", "limit", "window_s"), [(600, 100, 10), (60, 10, 10), (6, 1, 10), (3, 1, 20), (1, 1, 60)]
)
def test_a_limit_per_minute_keeps_its_rate_however_small(per_minute: float, limit: float, window_s: float) -> None:
    quota = Quota.per_minute("write", per_minute)

    assert (quota.limit, quota.window_s) == pytest.approx((limit, window_s))
    assert quota.policy.decode() == f'"write";q={limit};w={window_s}'
