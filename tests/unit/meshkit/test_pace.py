"""Long work in small steps with pauses."""

import time

import pytest

from meshkit.pace import PAUSE, STEP_S, Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time now, and how long was slept."""
    now = [100.0, 0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        now[1] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return now


def test_after_a_step_there_is_a_pause_in_proportion(clock: list[float]) -> None:
    pace = Pace()
    clock[0] += 4 * STEP_S
    pace()
    assert clock[1] == pytest.approx(4 * STEP_S * PAUSE)


def test_little_work_is_not_interrupted_and_adds_up(clock: list[float]) -> None:
    pace = Pace()
    clock[0] += 0.6 * STEP_S
    pace()
    assert clock[1] == 0
    clock[0] += 0.6 * STEP_S
    pace()
    assert clock[1] == pytest.approx(1.2 * STEP_S * PAUSE)
