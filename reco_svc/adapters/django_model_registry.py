"""ModelRegistry on the ORM's tables.

Runs: at most one waits or runs. Starting and claiming a run hold the row lock of the clock "training", so two callers
can not both succeed; nor can two that change the active model, of which there is one. A RUNNING run proves by its
heartbeat that its worker lives; after `silence` without one it may be claimed by another worker (the queue delivers the
message of a dead worker again) and no longer blocks a new run.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps

from meshkit.errors import NotFound
from reco_svc.adapters.django_session import advance, reading, writing
from reco_svc.domain.model import Model, TrainingRun, TrainingState
from reco_svc.orm.apps import LABEL

if TYPE_CHECKING:
    from reco_svc.orm.models import ModelRow, TrainingRunRow

CLOCK = "training"
SILENCE = timedelta(seconds=60)
LOST_WORKER = "its worker stopped answering"
_OPEN = (TrainingState.QUEUED, TrainingState.RUNNING)


class DjangoModelRegistry:
    """See `domain.ports.ModelRegistry`. Needs `django_setup.configure` first."""

    def __init__(
        self, *, silence: timedelta = SILENCE, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._silence = silence
        self._clock = clock
        self._models: type[ModelRow] = apps.get_model(LABEL, "ModelRow")
        self._runs: type[TrainingRunRow] = apps.get_model(LABEL, "TrainingRunRow")

    def add_model(self, model: Model) -> None:
        """Facts and quality that are not finite numbers are left out; the same version again replaces."""
        with self._locked():
            self._models.objects.update_or_create(
                version=model.version,
                defaults={
                    "created_at": model.created_at,
                    "active": model.active,
                    "facts": _finite(model.facts),
                    "quality": _finite(model.quality),
                    "embedder": model.embedder,
                    "parent": model.parent,
                },
            )
            if model.active:
                self._models.objects.exclude(version=model.version).update(active=False)

    def set_active(self, version: str) -> None:
        """NotFound (MODEL_NOT_FOUND) for an unknown version; nothing changes then."""
        with self._locked():
            if not self._models.objects.filter(version=version).update(active=True):
                raise NotFound("model", version)
            self._models.objects.exclude(version=version).filter(active=True).update(active=False)

    def models(self, *, limit: int, before_version: str = "") -> Sequence[Model]:
        """By version, which sorts by time."""
        with reading():
            rows = self._models.objects.order_by("-version")
            if before_version:
                rows = rows.filter(version__lt=before_version)
            return [_model(row) for row in rows[:limit]]

    def model(self, version: str) -> Model | None:
        """By version."""
        with reading():
            row = self._models.objects.filter(version=version).first()
        return None if row is None else _model(row)

    def start_run(self, note: str, force: bool) -> tuple[TrainingRun, bool]:
        """See the module for what is in the way."""
        with self._locked():
            now = self._clock()
            present = self._runs.objects.filter(slot=1).first()
            if present is not None and not self._lost(present, now):
                return _run(present), False
            if present is not None:
                self._runs.objects.filter(run_id=present.run_id).update(
                    state=int(TrainingState.FAILED), slot=None, finished_at=now, message=LOST_WORKER
                )
            row = self._runs.objects.create(
                run_id=secrets.token_hex(8),
                state=int(TrainingState.QUEUED),
                slot=1,
                requested_at=now,
                heartbeat_at=now,
                note=note,
                force=force,
            )
            return _run(row), True

    def claim_run(self, run_id: str) -> TrainingRun | None:
        """Starts at progress 0, also when another worker had begun."""
        with self._locked():
            now = self._clock()
            row = self._runs.objects.filter(run_id=run_id, slot=1).first()
            if row is None or not (row.state == TrainingState.QUEUED or self._lost(row, now)):
                return None
            row.state, row.stage, row.progress, row.heartbeat_at = int(TrainingState.RUNNING), "starting", 0.0, now
            row.save(update_fields=["state", "stage", "progress", "heartbeat_at"])
            return _run(row)

    def heartbeat(self, run_id: str) -> None:
        """No matter for a run that has ended."""
        with writing():
            self._runs.objects.filter(run_id=run_id, state=int(TrainingState.RUNNING)).update(
                heartbeat_at=self._clock()
            )

    def run(self, run_id: str) -> TrainingRun | None:
        """By id or "latest"."""
        with reading():
            if run_id == "latest":
                row = self._runs.objects.order_by("-requested_at", "-run_id").first()
            else:
                row = self._runs.objects.filter(run_id=run_id).first()
        return None if row is None else _run(row)

    def runs(self, *, limit: int) -> Sequence[TrainingRun]:
        """Newest first."""
        with reading():
            return [_run(row) for row in self._runs.objects.order_by("-requested_at", "-run_id")[:limit]]

    def update_run(self, run: TrainingRun) -> None:
        """Counts as a heartbeat."""
        with writing():
            self._runs.objects.filter(run_id=run.run_id, slot=1).update(
                state=int(run.state),
                slot=1 if run.state in _OPEN else None,
                stage=run.stage[:200],
                progress=min(1.0, max(0.0, run.progress)),
                model_version=run.model_version,
                message=run.message,
                finished_at=run.finished_at,
                heartbeat_at=self._clock(),
                facts=_finite(run.facts),
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with writing() as cursor:
            advance(cursor, CLOCK, 0)
            yield

    def _lost(self, row: TrainingRunRow, now: datetime) -> bool:
        return row.state == TrainingState.RUNNING and now - row.heartbeat_at > self._silence


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: float(n) for name, n in numbers.items() if math.isfinite(n)}


def _model(row: ModelRow) -> Model:
    return Model(
        row.version, row.created_at, row.active, _numbers(row.facts), _numbers(row.quality), row.embedder, row.parent
    )


def _run(row: TrainingRunRow) -> TrainingRun:
    return TrainingRun(
        run_id=row.run_id,
        state=TrainingState(row.state),
        stage=row.stage,
        progress=row.progress,
        model_version=row.model_version,
        message=row.message,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        facts=_numbers(row.facts),
        note=row.note,
        force=row.force,
    )


def _numbers(stored: Any) -> dict[str, float]:
    return {str(name): float(n) for name, n in stored.items()}
