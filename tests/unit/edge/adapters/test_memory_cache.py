"""The cache in memory: time to live, single flight, last-good values."""

import asyncio

import pytest

from edge.adapters.memory_cache import MemoryCache
from meshkit.errors import Unavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(clock: Clock, **options: float) -> MemoryCache[str, int]:
    settings: dict[str, float] = {"ttl_s": 10, "keep_s": 100, "jitter": 0, "max_entries": 3, **options}
    return MemoryCache[str, int](clock=clock, **settings)  # type: ignore[arg-type]


def test_a_value_is_fresh_for_its_time_and_last_good_for_longer() -> None:
    clock = Clock()
    held = cache(clock)
    held.put("a", 1)
    held.put("b", 2, ttl_s=1)
    clock.now = 5
    assert (held.fresh("a"), held.fresh("b")) == (1, None)
    clock.now = 11
    assert held.fresh("a") is None
    assert held.last_good("a") == (1, 11)
    clock.now = 101
    assert held.last_good("a") is None
    assert held.last_good("never") is None


def test_outdated_values_are_last_good_only() -> None:
    held = cache(Clock())
    held.put("a", 1)
    held.outdate()
    assert held.fresh("a") is None
    assert held.last_good("a") == (1, 0)
    held.put("a", 2)
    assert held.fresh("a") == 2
    held.drop("a")
    assert held.last_good("a") is None


def test_the_least_recently_read_leaves_first() -> None:
    held = cache(Clock())
    for number, key in enumerate("abc"):
        held.put(key, number)
    held.fresh("a")
    held.put("d", 9)
    assert [held.fresh(key) for key in "abcd"] == [0, None, 2, 9]
    assert len(held) == 3


def test_lives_are_spread() -> None:
    clock = Clock()
    held = MemoryCache[int, int](max_entries=1000, ttl_s=100, jitter=0.5, clock=clock)
    for number in range(200):
        held.put(number, number)
    clock.now = 75
    alive = sum(held.fresh(number) is not None for number in range(200))
    assert 50 < alive < 150


async def test_a_load_runs_once_for_all_who_wait() -> None:
    held = cache(Clock())
    times = 0

    async def load() -> int:
        nonlocal times
        times += 1
        await asyncio.sleep(0.01)
        return 7

    assert await asyncio.gather(*(held.get_or_load("a", load) for _ in range(500))) == [7] * 500
    assert await held.get_or_load("a", load) == 7
    assert times == 1


async def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    held = cache(Clock())
    error: Unavailable | None = Unavailable("part")

    async def load() -> int:
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return 1

    results = await asyncio.gather(*(held.get_or_load("a", load) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    error = None
    assert await held.get_or_load("a", load) == 1


async def test_a_load_that_began_before_a_change_is_not_kept() -> None:
    held = cache(Clock())
    gate = asyncio.Event()

    async def old() -> int:
        await gate.wait()
        return 1

    async def new() -> int:
        return 2

    early = asyncio.create_task(held.get_or_load("a", old))
    await asyncio.sleep(0)
    held.outdate()
    assert await held.get_or_load("a", new) == 2
    gate.set()
    assert await early == 1
    assert held.fresh("a") == 2


async def test_one_who_gives_up_does_not_stop_the_load() -> None:
    held = cache(Clock())
    gate = asyncio.Event()

    async def load() -> int:
        await gate.wait()
        return 3

    impatient = asyncio.create_task(held.get_or_load("a", load))
    patient = asyncio.create_task(held.get_or_load("a", load))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await patient == 3
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_after_its_time_a_value_answers_once_more_while_it_is_read_anew() -> None:
    clock = Clock()
    held = cache(clock, revalidate_s=100)
    held.put("a", 1)
    clock.now += 11

    assert await held.get_or_load("a", lambda: _soon(2)) == 1
    await asyncio.sleep(0.01)
    assert await held.get_or_load("a", lambda: _soon(3)) == 2


async def test_nothing_outdated_and_nothing_with_a_shorter_life_is_given_while_it_is_read_anew() -> None:
    clock = Clock()
    held = cache(clock, revalidate_s=100)
    held.put("outdated", 1)
    held.outdate()
    held.put("short", 1, ttl_s=1)
    held.put("old", 1)
    clock.now += 111

    assert [await held.get_or_load(key, lambda: _soon(2)) for key in ("outdated", "short", "old")] == [2, 2, 2]


async def test_when_it_can_not_be_read_anew_the_next_hears_of_it() -> None:
    async def away() -> int:
        raise Unavailable("catalog")

    clock = Clock()
    held = cache(clock, revalidate_s=100)
    held.put("a", 1)
    clock.now += 11

    assert await held.get_or_load("a", away) == 1
    await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await held.get_or_load("a", away)


async def _soon(value: int) -> int:
    return value
