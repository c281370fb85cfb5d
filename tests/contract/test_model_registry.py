"""What every ModelRegistry keeps."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, nan

import pytest
from django.db import connection

from meshkit.errors import NotFound
from reco_svc.adapters.django_model_registry import DjangoModelRegistry
from reco_svc.domain.model import Model, TrainingState
from reco_svc.domain.ports import ModelRegistry
from tests.support.reco_stores import NOON, MemoryModelRegistry

MODEL = Model("20260501T120000Z-aaaaaa", NOON, False, {"products": 3.0}, {"auto/ndcg@10": 0.25}, "minilm", "")
RUNNING, FAILED, SUCCEEDED = TrainingState.RUNNING, TrainingState.FAILED, TrainingState.SUCCEEDED


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def registry(
    request: pytest.FixtureRequest, clock: Callable[[], datetime], open_reco_database: Callable[[str], None]
) -> ModelRegistry:
    if request.param == "memory":
        return MemoryModelRegistry(clock=clock)
    open_reco_database(request.param)
    return DjangoModelRegistry(clock=clock)


@pytest.fixture(params=["sqlite", "postgres"])
def shared_registry(
    request: pytest.FixtureRequest, clock: Callable[[], datetime], open_reco_database: Callable[[str], None]
) -> ModelRegistry:
    """One that many threads may use."""
    open_reco_database(request.param)
    return DjangoModelRegistry(clock=clock)


def _at_once(count: int, ask: Callable[[int], object]) -> list[object]:
    barrier = threading.Barrier(count)

    def run(number: int) -> object:
        barrier.wait(30)
        try:
            return ask(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count), timeout=60))


def test_an_empty_registry_has_nothing(registry: ModelRegistry) -> None:
    assert registry.models(limit=5) == []
    assert registry.model("x") is None
    assert registry.run("latest") is None
    assert registry.run("x") is None
    assert registry.runs(limit=5) == []


def test_a_model_comes_back_as_it_was_added(registry: ModelRegistry) -> None:
    registry.add_model(MODEL)

    assert registry.model(MODEL.version) == MODEL
    assert registry.models(limit=5) == [MODEL]


def test_numbers_that_are_not_finite_are_left_out(registry: ModelRegistry) -> None:
    registry.add_model(replace(MODEL, facts={"ok": 1.0, "bad": nan}, quality={"worse": inf}))

    found = registry.model(MODEL.version)
    assert found is not None
    assert (found.facts, found.quality) == ({"ok": 1.0}, {})


def test_models_are_listed_newest_first_in_pages(registry: ModelRegistry) -> None:
    versions = [f"2026050{n}T120000Z-aaaaaa" for n in range(1, 6)]
    for version in versions:
        registry.add_model(replace(MODEL, version=version))

    first = registry.models(limit=2)
    rest = registry.models(limit=9, before_version=first[-1].version)

    assert [m.version for m in [*first, *rest]] == versions[::-1]


def test_one_model_is_active(registry: ModelRegistry) -> None:
    for version in ("v1", "v2", "v3"):
        registry.add_model(replace(MODEL, version=version, active=True))
    assert [m.version for m in registry.models(limit=9) if m.active] == ["v3"]

    registry.set_active("v2")
    assert [m.version for m in registry.models(limit=9) if m.active] == ["v2"]

    with pytest.raises(NotFound) as error:
        registry.set_active("nope")
    assert error.value.reason == "MODEL_NOT_FOUND"
    assert [m.version for m in registry.models(limit=9) if m.active] == ["v2"]


def test_one_run_waits_or_runs_at_a_time(registry: ModelRegistry) -> None:
    run, new = registry.start_run("first", force=True)
    same, again = registry.start_run("second", force=False)

    assert (new, again) == (True, False)
    assert same == run
    assert (run.state, run.note, run.force, run.requested_at) == (TrainingState.QUEUED, "first", True, NOON)


def test_after_a_run_has_ended_the_next_may_start(registry: ModelRegistry, clock: Clock) -> None:
    run, _ = registry.start_run("", force=False)
    clock.pass_s(5)
    registry.update_run(replace(run, state=FAILED, message="no data", finished_at=clock.now))
    later, new = registry.start_run("", force=False)

    assert new
    assert registry.run("latest") == later
    assert [r.run_id for r in registry.runs(limit=9)] == [later.run_id, run.run_id]
    ended = registry.run(run.run_id)
    assert ended is not None
    assert (ended.state, ended.message, ended.finished_at) == (FAILED, "no data", clock.now)


def test_a_run_keeps_what_its_worker_tells(registry: ModelRegistry) -> None:
    run, _ = registry.start_run("", force=False)
    told = replace(
        run, state=RUNNING, stage="embed products", progress=0.5, message="…", facts={"embed_s": 1.5, "bad": 0.0}
    )
    registry.update_run(told)

    assert registry.run(run.run_id) == told


def test_an_ended_run_is_final(registry: ModelRegistry) -> None:
    run, _ = registry.start_run("", force=False)
    registry.update_run(replace(run, state=SUCCEEDED, model_version="v1", progress=1.0, finished_at=NOON))
    registry.update_run(replace(run, state=RUNNING, stage="zombie"))

    found = registry.run(run.run_id)
    assert found is not None
    assert (found.state, found.model_version) == (SUCCEEDED, "v1")


def test_a_run_is_claimed_once(registry: ModelRegistry) -> None:
    run, _ = registry.start_run("", force=False)

    claimed = registry.claim_run(run.run_id)

    assert claimed is not None
    assert claimed.state is RUNNING
    assert registry.claim_run(run.run_id) is None
    assert registry.claim_run("unknown") is None


def test_a_run_whose_worker_fell_silent_may_be_claimed_again(registry: ModelRegistry, clock: Clock) -> None:
    run, _ = registry.start_run("", force=False)
    registry.claim_run(run.run_id)
    clock.pass_s(50)
    registry.heartbeat(run.run_id)
    clock.pass_s(50)
    assert registry.claim_run(run.run_id) is None

    clock.pass_s(11)
    assert registry.claim_run(run.run_id) is not None


def test_a_run_whose_worker_fell_silent_does_not_block_the_next(registry: ModelRegistry, clock: Clock) -> None:
    run, _ = registry.start_run("", force=False)
    registry.claim_run(run.run_id)
    clock.pass_s(61)

    _, new = registry.start_run("", force=False)

    lost = registry.run(run.run_id)
    assert new
    assert lost is not None
    assert (lost.state, lost.finished_at, lost.message) == (FAILED, clock.now, "its worker stopped answering")


def test_a_run_that_waits_for_a_worker_may_wait_for_long(registry: ModelRegistry, clock: Clock) -> None:
    run, _ = registry.start_run("", force=False)
    clock.pass_s(86_400)

    assert registry.start_run("", force=False) == (run, False)


def test_of_many_callers_at_once_one_starts_a_run(shared_registry: ModelRegistry) -> None:
    started = _at_once(6, lambda _: shared_registry.start_run("", force=False)[1])

    assert sorted(map(bool, started)) == [False] * 5 + [True]
    assert len(shared_registry.runs(limit=9)) == 1


def test_of_many_workers_at_once_one_claims_a_run(shared_registry: ModelRegistry) -> None:
    for _ in range(3):
        run, _new = shared_registry.start_run("", force=False)
        claimed = _at_once(4, lambda _, run_id=run.run_id: shared_registry.claim_run(run_id))  # type: ignore[misc]

        assert [c for c in claimed if c is None] == [None] * 3
        shared_registry.update_run(replace(run, state=SUCCEEDED, finished_at=NOON))


def test_of_models_activated_at_once_one_is_active(shared_registry: ModelRegistry) -> None:
    for n in range(4):
        shared_registry.add_model(replace(MODEL, version=f"v{n}"))

    for _ in range(5):
        _at_once(4, lambda n: shared_registry.set_active(f"v{n}"))
        assert len([m for m in shared_registry.models(limit=9) if m.active]) == 1
