"""Admission control: the limit follows the loop's lateness, and who goes last is refused first."""

import asyncio
from contextlib import ExitStack

import pytest
import structlog

from meshkit.errors import Overloaded
from meshkit.resilience.admission import TICKS, Admission, Priority


def span(admission: Admission, late_s: float, times: int = 1) -> None:
    for _ in range(times * TICKS):
        admission.ticked(late_s)


def fill(admission: Admission, stack: ExitStack, count: int, priority: Priority = Priority.SHOPPER) -> int:
    """How many of `count` requests find room and stay."""
    for done in range(count):
        try:
            stack.enter_context(admission.admitted(priority))
        except Overloaded:
            return done
    return count


def test_a_loop_on_time_takes_what_comes():
    admission = Admission(most=100)
    span(admission, 0.001, times=20)
    with ExitStack() as stack:
        assert fill(admission, stack, 100) == 100
        with pytest.raises(Overloaded) as refused, admission.admitted(Priority.SHOPPER):
            pass
        assert refused.value.retry_after_s >= 1
    with admission.admitted(Priority.SHOPPER):
        pass


def test_one_late_span_is_a_hiccup_two_are_overload():
    admission = Admission(most=100)
    with ExitStack() as stack:
        fill(admission, stack, 50)
        span(admission, 0.03)
        assert (admission.limit, admission.overloaded) == (100, False)
        span(admission, 0.03)
        assert (admission.limit, admission.overloaded) == (25, True)


def test_the_later_the_loop_the_more_the_limit_falls_but_by_half_at_most():
    for late_s, left in ((0.0101, 90), (0.0125, 80), (0.02, 50), (1.0, 50)):
        admission = Admission(most=100)
        with ExitStack() as stack:
            fill(admission, stack, 100)
            span(admission, late_s, times=2)
            assert admission.limit == left


def test_a_span_of_very_late_ticks_ends_by_the_clock():
    now = 0.0
    admission = Admission(most=100, clock=lambda: now)
    with ExitStack() as stack:
        fill(admission, stack, 100)
        for _ in range(2):
            now += 0.11
            admission.ticked(0.1)
    assert (admission.limit, admission.overloaded) == (50, True)


def test_the_limit_never_falls_below_the_fewest_and_grows_back():
    admission = Admission(most=100, fewest=8)
    span(admission, 0.05, times=50)
    assert admission.limit == 8
    span(admission, 0.0, times=30)
    assert admission.limit == 100
    assert not admission.overloaded


def test_bulk_work_is_refused_before_shoppers_and_admin_work_before_both():
    admission = Admission(most=8)
    with ExitStack() as stack:
        assert fill(admission, stack, 8, Priority.ADMIN) == 2
        assert fill(admission, stack, 8, Priority.BULK) == 2
        assert fill(admission, stack, 8, Priority.SHOPPER) == 4


def test_a_request_that_fails_gives_its_place_back():
    admission = Admission(most=1)
    for _ in range(3):
        with pytest.raises(ValueError), admission.admitted(Priority.SHOPPER):
            raise ValueError


def test_what_was_refused_is_told_once_a_second(monkeypatch):
    now, log = 0.0, structlog.testing.CapturingLogger()
    monkeypatch.setattr("meshkit.resilience.admission.log", log)
    admission = Admission(most=4, clock=lambda: now)
    with ExitStack() as stack:
        fill(admission, stack, 5)
        span(admission, 0.0)
        admission.enter(Priority.ADMIN)
        admission.enter(Priority.SHOPPER)
        now = 0.5
        span(admission, 0.0)
        assert [call.kwargs["refused_shopper"] for call in log.calls] == [1]
        now = 1.0
        span(admission, 0.0, times=5)
    assert [call.args for call in log.calls] == [("overloaded",), ("overloaded",)]
    assert log.calls[1].kwargs == {"limit": 4, "refused_shopper": 1, "refused_admin": 1}


async def test_bulk_work_waits_for_its_turn_but_not_for_ever():
    admission = Admission()
    await asyncio.wait_for(admission.turn(), 1)
    span(admission, 0.05, times=2)
    waiting = asyncio.create_task(admission.turn(patience_s=30))
    await asyncio.sleep(0.15)
    assert not waiting.done()
    span(admission, 0.0)
    await asyncio.wait_for(waiting, 5)
    span(admission, 0.05, times=2)
    await asyncio.wait_for(admission.turn(patience_s=0.1), 5)


async def test_it_sees_that_the_loop_is_blocked():
    admission = Admission(target_s=0.002)
    admission.start()

    def block() -> None:
        ends = asyncio.get_running_loop().time() + 1.0

        def step() -> None:
            end = asyncio.get_running_loop().time() + 0.03
            while asyncio.get_running_loop().time() < end:
                pass
            if asyncio.get_running_loop().time() < ends and not admission.overloaded:
                asyncio.get_running_loop().call_soon(step)

        step()

    block()
    for _ in range(200):
        if admission.overloaded:
            break
        await asyncio.sleep(0.01)
    assert admission.overloaded
