"""Use case of the queue worker: carry out a training run, once, and say how it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from meshkit.errors import RecomeshError, Unavailable
from reco_svc.domain.model import TrainingRun, TrainingState
from reco_svc.domain.ports import ModelRegistry

log = structlog.get_logger()
HEARTBEAT_S = 10.0


class Training(Protocol):
    """`service.train.Train`."""

    def __call__(self, run: TrainingRun, progress: Callable[[str, float], None]) -> str:
        """Builds and activates a snapshot; returns its version."""
        ...


class _Stopped(Exception):
    """The worker is asked to stop."""


class RunTraining:
    """Claims the run, trains, and stores progress and outcome. Safe to call again with the same run id.

    `stopping` says whether the worker is asked to stop; it is asked with each progress.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        train: Training,
        *,
        stopping: Callable[[], bool] = lambda: False,
        heartbeat_s: float = HEARTBEAT_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._registry = registry
        self._train = train
        self._stopping = stopping
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._at_work = ""

    def __call__(self, run_id: str) -> None:
        """Returns when the run has ended, well or not; at once if it had ended before or is unknown.

        Unavailable("training") while another worker is at it: ask again, in case that worker dies. So too when this
        one stops: the run waits again, for the next. A failure of the training itself is stored in the run, not raised:
        trying the same again would fail the same way.
        """
        run = self._registry.claim_run(run_id)
        if run is None:
            self._leave_alone(run_id)
            return
        self._at_work = run_id
        with self._heartbeats(run_id):
            try:
                version = self._train(run, self._progress(run))
            except _Stopped:
                self._put_back(run_id)
                raise Unavailable("training", f"run {run_id} waits for another worker, this one stops") from None
            except RecomeshError as error:
                log.warning("training_failed", run_id=run_id, reason=error.reason, error=error.message)
                self._end(run_id, TrainingState.FAILED, message=error.message)
            except Exception as error:
                log.exception("training_failed", run_id=run_id)
                self._end(run_id, TrainingState.FAILED, message=f"{type(error).__name__}: {error}")
            else:
                self._end(run_id, TrainingState.SUCCEEDED, version=version)
            finally:
                self._at_work = ""

    def give_up(self) -> None:
        """The worker ends without waiting for the training at hand: its run waits again, for another worker."""
        if run_id := self._at_work:
            self._put_back(run_id)

    def _leave_alone(self, run_id: str) -> None:
        present = self._registry.run(run_id)
        if present is not None and present.state in (TrainingState.QUEUED, TrainingState.RUNNING):
            raise Unavailable("training", f"run {run_id} is at work elsewhere", retry_after_s=10.0)

    def _progress(self, run: TrainingRun) -> Callable[[str, float], None]:
        def tell(stage: str, progress: float) -> None:
            if self._stopping():
                raise _Stopped
            try:
                present = self._registry.run(run.run_id) or run
                self._registry.update_run(replace(present, state=TrainingState.RUNNING, stage=stage, progress=progress))
            except Unavailable as error:  # no reason to lose the training
                log.warning("progress_not_stored", run_id=run.run_id, error=error.message)

        return tell

    def _put_back(self, run_id: str) -> None:
        present = self._registry.run(run_id)
        if present is not None and present.state is TrainingState.RUNNING:
            self._registry.update_run(replace(present, state=TrainingState.QUEUED, stage="", progress=0.0))

    def _end(self, run_id: str, state: TrainingState, *, version: str = "", message: str = "") -> None:
        """Keeps the facts and the message that the training stored itself."""
        present = self._registry.run(run_id)
        if present is None or present.state is not TrainingState.RUNNING:
            return
        done = state is TrainingState.SUCCEEDED
        self._registry.update_run(
            replace(
                present,
                state=state,
                model_version=version,
                message=message or present.message,
                progress=1.0 if done else present.progress,
                finished_at=self._clock(),
            )
        )

    @contextmanager
    def _heartbeats(self, run_id: str) -> Iterator[None]:
        done = threading.Event()

        def beat() -> None:
            while not done.wait(self._heartbeat_s):
                try:
                    self._registry.heartbeat(run_id)
                except Unavailable as error:
                    log.warning("heartbeat_missed", run_id=run_id, error=error.message)

        thread = threading.Thread(target=beat, name=f"heartbeat-{run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
