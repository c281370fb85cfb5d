"""A clock that is read over a line of changing delay."""

import pytest

from meshkit.limiting.remote_clock import RemoteClock


def test_the_quickest_answer_is_believed() -> None:
    clock = RemoteClock()
    clock.observe(10.0, 10.4, 1_000.35)  # read late: the middle is 0.15 s off
    assert clock.local(1_000.35) == pytest.approx(10.2)

    clock.observe(11.0, 11.002, 1_001.001)
    clock.observe(12.0, 12.5, 1_002.45)

    assert clock.local(1_005.0) == pytest.approx(15.0)


def test_old_answers_are_forgotten_because_clocks_drift() -> None:
    clock = RemoteClock()
    clock.observe(10.0, 10.0, 1_000.0)
    clock.observe(30.0, 30.2, 1_020.15)

    assert clock.local(1_020.15) == pytest.approx(30.1)


def test_a_clock_that_was_moved_is_followed_at_once() -> None:
    clock = RemoteClock()
    clock.observe(10.0, 10.0, 1_000.0)
    clock.observe(11.0, 11.4, 4_601.2)

    assert clock.local(4_601.2) == pytest.approx(11.2)
