"""Carrying out a training run."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from meshkit.errors import FailedPrecondition, Unavailable
from reco_svc.domain.model import TrainingRun, TrainingState
from reco_svc.service.run_training import RunTraining
from tests.support.reco_stores import NOON, MemoryModelRegistry

Progress = Callable[[str, float], None]


@pytest.fixture
def registry() -> MemoryModelRegistry:
    return MemoryModelRegistry(clock=lambda: NOON)


@pytest.fixture
def run_id(registry: MemoryModelRegistry) -> str:
    return registry.start_run("", force=False)[0].run_id


def _found(registry: MemoryModelRegistry, run_id: str) -> TrainingRun:
    run = registry.run(run_id)
    assert run is not None
    return run


def test_progress_is_told_and_the_outcome_kept(registry: MemoryModelRegistry, run_id: str) -> None:
    told: list[TrainingRun] = []

    def train(run: TrainingRun, progress: Progress) -> str:
        assert run.state is TrainingState.RUNNING
        progress("embed products", 0.25)
        told.append(_found(registry, run_id))
        registry.update_run(replace(told[-1], facts={"embed_s": 2.0}, message="3,812 products"))
        progress("write snapshot", 0.9)
        return "v1"

    RunTraining(registry, train, clock=lambda: NOON)(run_id)

    assert (told[0].stage, told[0].progress) == ("embed products", 0.25)
    done = _found(registry, run_id)
    assert (done.state, done.model_version, done.progress) == (TrainingState.SUCCEEDED, "v1", 1.0)
    assert (done.facts, done.message, done.finished_at) == ({"embed_s": 2.0}, "3,812 products", NOON)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FailedPrecondition("quality fell by 12 %"), "quality fell by 12 %"),
        (Unavailable("catalog"), "catalog is away"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_failure_is_stored_not_raised(
    registry: MemoryModelRegistry, run_id: str, error: Exception, said: str
) -> None:
    def train(run: TrainingRun, progress: Progress) -> str:
        progress("evaluate", 0.7)
        raise error

    RunTraining(registry, train, clock=lambda: NOON)(run_id)

    failed = _found(registry, run_id)
    assert (failed.state, failed.message, failed.progress) == (TrainingState.FAILED, said, 0.7)


def test_a_run_that_ended_or_never_was_is_left_alone(registry: MemoryModelRegistry, run_id: str) -> None:
    calls: list[str] = []

    def train(run: TrainingRun, progress: Progress) -> str:
        calls.append(run.run_id)
        return "v1"

    use_case = RunTraining(registry, train, clock=lambda: NOON)
    use_case(run_id)
    use_case(run_id)
    use_case("unknown")

    assert calls == [run_id]


def test_a_run_at_work_elsewhere_is_asked_for_again_later(registry: MemoryModelRegistry, run_id: str) -> None:
    registry.claim_run(run_id)

    with pytest.raises(Unavailable) as error:
        RunTraining(registry, lambda run, progress: "v1")(run_id)
    assert error.value.part == "training"


def test_a_run_of_a_dead_worker_is_taken_over() -> None:
    now = [NOON]
    registry = MemoryModelRegistry(clock=lambda: now[0])
    run_id = registry.start_run("", force=False)[0].run_id
    registry.claim_run(run_id)
    now[0] += timedelta(seconds=61)

    RunTraining(registry, lambda run, progress: "v1", clock=lambda: now[0])(run_id)

    assert _found(registry, run_id).state is TrainingState.SUCCEEDED


def test_the_worker_shows_that_it_lives_while_it_trains(run_id: str, registry: MemoryModelRegistry) -> None:
    beats = threading.Semaphore(0)

    class Listening(MemoryModelRegistry):
        def heartbeat(self, run_id: str) -> None:
            beats.release()
            raise Unavailable("database")  # a missed beat is no reason to stop

    listening = Listening(clock=lambda: NOON)
    run_id = listening.start_run("", force=False)[0].run_id

    def train(run: TrainingRun, progress: Progress) -> str:
        assert beats.acquire(timeout=30)
        assert beats.acquire(timeout=30)
        return "v1"

    RunTraining(listening, train, heartbeat_s=0.001, clock=lambda: NOON)(run_id)

    assert _found(listening, run_id).state is TrainingState.SUCCEEDED
    assert not [t for t in threading.enumerate() if t.name.startswith("heartbeat-")]
