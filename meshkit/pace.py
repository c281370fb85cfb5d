"""Long work beside a loop that answers: in small steps with pauses.

Who answers waits for the interpreter as long as a step, since no other thread gets it within a call of NumPy or the
like; and has the interpreter, and the processor, to itself between two steps.
"""

from __future__ import annotations

import time

STEP_S, PAUSE = 0.00025, 2.0


class Pace:
    """Called between two pieces of work of a thread: after STEP_S of work it sleeps PAUSE times as long."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> None:
        """A pause, if there was work for one."""
        worked_s = time.monotonic() - self._began
        if worked_s > STEP_S:
            time.sleep(PAUSE * worked_s)
            self._began = time.monotonic()


def no_pause() -> None:
    """For when nobody is answered meanwhile."""
