"""How long after one another calls begin."""

import pytest

from edge.adapters.call_pace import CallPace

APART_S = 0.005


def asked(pace: CallPace, *, every_s: float, for_s: float) -> float:
    """One request in each `every_s`, each of which begins a call; the moment after the last."""
    times = int(for_s / every_s)
    for number in range(times):
        pace.came()
        pace.began(number * every_s)
    return times * every_s


def test_the_first_call_waits_for_nothing() -> None:
    pace = CallPace(APART_S)
    pace.came()
    assert pace.wait_s(0.0) < 0


def test_calls_of_few_requests_wait_for_nothing() -> None:
    pace = CallPace(APART_S)
    now = asked(pace, every_s=0.002, for_s=0.1)
    assert pace.wait_s(now) < 0


def test_calls_begin_apart_once_many_requests_came() -> None:
    pace = CallPace(APART_S)
    asked(pace, every_s=0.0005, for_s=0.00551)
    assert pace.wait_s(0.006) == pytest.approx(0.004)


def test_the_pace_holds_while_as_many_come() -> None:
    pace = CallPace(APART_S)
    asked(pace, every_s=0.0005, for_s=0.00551)
    for call in range(1, 20):
        for _ in range(10):
            pace.came()
        pace.began(0.005 + call * APART_S)
        assert pace.wait_s(0.005 + call * APART_S) == pytest.approx(APART_S)


def test_after_a_quiet_while_a_call_waits_for_nothing() -> None:
    pace = CallPace(APART_S)
    asked(pace, every_s=0.0005, for_s=0.00551)
    pace.came()
    pace.began(1.0)
    assert pace.wait_s(1.0) < 0
