"""Use cases around trained models: list, get, train, activate, roll back."""

from __future__ import annotations

import builtins
from dataclasses import replace

import orjson

from meshkit.broker.port import Broker, Message
from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound, RecomeshError
from meshkit.topics import TRAIN
from reco_svc.domain.model import Model, TrainingRun, TrainingState
from reco_svc.domain.ports import ModelRegistry, SnapshotStore

MAX_PAGE = 100
MAX_NOTE = 200
ACTIVE, PREVIOUS, LATEST = "active", "previous", "latest"


class Models:
    """What is active is what the snapshot store says, whatever the registry remembers."""

    def __init__(self, registry: ModelRegistry, snapshots: SnapshotStore, broker: Broker) -> None:
        self._registry = registry
        self._snapshots = snapshots
        self._broker = broker

    def list(self, page_size: int = 20, page_token: str = "") -> tuple[builtins.list[Model], str]:
        """Newest first, and the token of the next page ("" on the last)."""
        size = min(max(page_size, 1), MAX_PAGE)
        found = self._registry.models(limit=size + 1, before_version=page_token)
        active = self._snapshots.active()
        page = [replace(m, active=m.version == active) for m in found[:size]]
        return page, page[-1].version if len(found) > size else ""

    def get(self, version: str) -> Model:
        """By version or "active". NotFound (MODEL_NOT_FOUND)."""
        active = self._snapshots.active()
        model = self._registry.model(active if version == ACTIVE else version)
        if model is None:
            raise NotFound("model", version)
        return replace(model, active=model.version == active)

    def train(self, note: str = "", force: bool = False) -> TrainingRun:
        """Asks the queue workers for a run; answers the one under way if there is one. Unavailable: nothing was begun.

        A run that waits is announced again, in case its message was lost with its sender: a run is carried out once,
        however often it is announced.
        """
        if len(note) > MAX_NOTE:
            raise InvalidArgument.of("note", f"at most {MAX_NOTE} characters")
        run, new = self._registry.start_run(note, force)
        if run.state is TrainingState.QUEUED:
            body = orjson.dumps({"run_id": run.run_id, "force": run.force})
            try:
                self._broker.publish([Message(TRAIN, body, key=run.run_id)])
            except RecomeshError as error:
                if new:
                    self._registry.update_run(
                        replace(run, state=TrainingState.FAILED, message=error.message, finished_at=run.requested_at)
                    )
                raise
        return run

    def run(self, run_id: str) -> TrainingRun:
        """By id or "latest". NotFound (TRAINING_RUN_NOT_FOUND)."""
        run = self._registry.run(run_id or LATEST)
        if run is None:
            raise NotFound("training run", run_id or LATEST)
        return run

    def activate(self, version: str) -> Model:
        """Makes a model answer. "previous" is the one that the active model replaced.

        NotFound (MODEL_NOT_FOUND); FailedPrecondition: NO_PREVIOUS_MODEL, or SNAPSHOT_CORRUPT (the active one stays).
        """
        model = self.get(self._previous() if version == PREVIOUS else version)
        if model.version not in self._snapshots.versions():
            raise FailedPrecondition(
                f"the files of model {model.version} were deleted to save space", reason="SNAPSHOT_DELETED"
            )
        self._snapshots.activate(model.version)
        self._registry.set_active(model.version)
        return replace(model, active=True)

    def _previous(self) -> str:
        active = self._registry.model(self._snapshots.active())
        if active is None or not active.parent:
            raise FailedPrecondition("there is no model before the active one", reason="NO_PREVIOUS_MODEL")
        return active.parent
