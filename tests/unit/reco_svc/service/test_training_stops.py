"""A worker that stops in the middle of a training leaves the run to the next."""

from collections.abc import Callable

import pytest

from meshkit.errors import Unavailable
from reco_svc.domain.model import TrainingRun, TrainingState
from reco_svc.service.run_training import RunTraining
from tests.support.reco_stores import MemoryModelRegistry


def _train(run: TrainingRun, progress: Callable[[str, float], None]) -> str:
    progress("embed", 0.1)
    progress("learn", 0.6)
    return "m1"


def test_the_run_waits_again_and_the_next_worker_carries_it_out() -> None:
    registry = MemoryModelRegistry()
    run, _ = registry.start_run("", force=False)
    asked = iter([False, True])

    with pytest.raises(Unavailable):
        RunTraining(registry, _train, stopping=lambda: next(asked))(run.run_id)
    waiting = registry.run(run.run_id)
    assert waiting is not None
    assert (waiting.state, waiting.progress) == (TrainingState.QUEUED, 0.0)

    RunTraining(registry, _train)(run.run_id)
    done = registry.run(run.run_id)
    assert done is not None
    assert (done.state, done.model_version) == (TrainingState.SUCCEEDED, "m1")


def test_a_training_that_is_given_up_leaves_its_run_to_the_next() -> None:
    registry = MemoryModelRegistry()
    run, _ = registry.start_run("", force=False)
    states: list[TrainingState] = []

    def train(run: TrainingRun, progress: Callable[[str, float], None]) -> str:
        training.give_up()  # from another thread, while this one is stuck
        given_up = registry.run(run.run_id)
        assert given_up is not None
        states.append(given_up.state)
        return "too late"

    training = RunTraining(registry, train)
    training(run.run_id)
    training.give_up()  # nothing is at work
    present = registry.run(run.run_id)
    assert present is not None
    assert (states, present.state) == ([TrainingState.QUEUED], TrainingState.QUEUED)


def test_progress_that_can_not_be_stored_does_not_end_the_training() -> None:
    class Forgetful(MemoryModelRegistry):
        def update_run(self, run: TrainingRun) -> None:
            if run.stage == "embed":
                raise Unavailable("database")
            super().update_run(run)

    registry = Forgetful()
    run, _ = registry.start_run("", force=False)
    RunTraining(registry, _train)(run.run_id)
    done = registry.run(run.run_id)
    assert done is not None
    assert done.state is TrainingState.SUCCEEDED
