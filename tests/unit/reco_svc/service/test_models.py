"""Listing, training, activating, rolling back."""

from dataclasses import replace

import orjson
import pytest

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from meshkit.topics import TRAIN
from reco_svc.domain.model import Model, TrainingState
from reco_svc.service.models import Models
from tests.support.reco_stores import NOON, FakeQueue, FakeSnapshots, MemoryModelRegistry

FIRST = Model("v1", NOON, False, {}, {}, "lsa", "")


class Shop:
    """Three models, each made while the one before was active; v3 answers."""

    def __init__(self) -> None:
        self.registry, self.queue = MemoryModelRegistry(), FakeQueue()
        self.snapshots = FakeSnapshots("v1", "v2", "v3", active="v3")
        for version, parent in (("v1", ""), ("v2", "v1"), ("v3", "v2")):
            self.registry.add_model(replace(FIRST, version=version, parent=parent))
        self.models = Models(self.registry, self.snapshots, self.queue)  # type: ignore[arg-type]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_models_are_listed_in_pages_with_the_one_that_answers(shop: Shop) -> None:
    page, token = shop.models.list(2)
    rest, end = shop.models.list(2, token)

    assert [(m.version, m.active) for m in [*page, *rest]] == [("v3", True), ("v2", False), ("v1", False)]
    assert end == ""
    assert shop.models.list(3) == ([*page, *rest], "")
    assert shop.models.list(0)[0] == page[:1]


def test_a_model_is_found_by_version_or_as_the_active_one(shop: Shop) -> None:
    assert shop.models.get("v1").version == "v1"
    assert shop.models.get("active") == replace(FIRST, version="v3", parent="v2", active=True)
    for unknown in ("v9", ""):
        with pytest.raises(NotFound) as error:
            shop.models.get(unknown)
        assert error.value.reason == "MODEL_NOT_FOUND"


def test_activating_changes_what_answers_and_what_is_listed(shop: Shop) -> None:
    assert shop.models.activate("v1").active
    assert shop.snapshots.active() == "v1"
    assert [m.version for m in shop.registry.models(limit=9) if m.active] == ["v1"]


def test_previous_goes_back_step_by_step_to_the_first(shop: Shop) -> None:
    assert shop.models.activate("previous").version == "v2"
    assert shop.models.activate("previous").version == "v1"
    with pytest.raises(FailedPrecondition) as error:
        shop.models.activate("previous")
    assert error.value.reason == "NO_PREVIOUS_MODEL"
    assert shop.snapshots.active() == "v1"


def test_previous_passes_over_a_model_that_never_answered(shop: Shop) -> None:
    shop.registry.add_model(replace(FIRST, version="v4", parent="v3"))  # refused: its quality fell
    shop.registry.add_model(replace(FIRST, version="v5", parent="v3"))
    shop.snapshots.activate("v5")

    assert shop.models.activate("previous").version == "v3"


def test_a_model_without_files_can_not_be_activated(shop: Shop) -> None:
    shop.registry.add_model(replace(FIRST, version="v0"))

    with pytest.raises(FailedPrecondition) as error:
        shop.models.activate("v0")
    assert error.value.reason == "SNAPSHOT_DELETED"
    assert shop.snapshots.active() == "v3"


def test_training_is_asked_for_once(shop: Shop) -> None:
    run = shop.models.train("autumn range", force=True)

    (message,) = shop.queue.published
    assert message.topic == TRAIN
    assert orjson.loads(message.body) == {"run_id": run.run_id, "force": True}
    assert shop.models.run("latest") == shop.models.run(run.run_id) == run

    shop.registry.claim_run(run.run_id)
    assert shop.models.train().run_id == run.run_id
    assert len(shop.queue.published) == 1


def test_a_run_that_waits_is_announced_again(shop: Shop) -> None:
    run = shop.models.train()

    assert shop.models.train() == run
    assert [orjson.loads(m.body)["run_id"] for m in shop.queue.published] == [run.run_id, run.run_id]


def test_an_absent_queue_leaves_no_run_behind(shop: Shop) -> None:
    shop.queue.away = True
    with pytest.raises(Unavailable):
        shop.models.train()
    assert shop.models.run("latest").state is TrainingState.FAILED

    shop.queue.away = False
    assert shop.models.train().state is TrainingState.QUEUED


def test_a_run_that_waited_before_the_queue_went_away_goes_on_waiting(shop: Shop) -> None:
    run = shop.models.train()
    shop.queue.away = True
    with pytest.raises(Unavailable):
        shop.models.train()

    assert shop.models.run(run.run_id).state is TrainingState.QUEUED


def test_what_is_wrong_is_named(shop: Shop) -> None:
    with pytest.raises(InvalidArgument, match="note"):
        shop.models.train("x" * 201)
    with pytest.raises(NotFound) as error:
        shop.models.run("nope")
    assert error.value.reason == "TRAINING_RUN_NOT_FOUND"
    with pytest.raises(NotFound):
        shop.models.run("latest")
