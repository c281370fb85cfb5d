"""Import jobs: a file on its way into the catalog, with progress that others can watch."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

import structlog

from catalog_svc.domain.model import ImportJob, ImportState, Product, RejectedInput, Rejection
from catalog_svc.domain.ports import ImportJobRepository, ProductRepository
from catalog_svc.service.import_products import ImportTotals, store_batch
from catalog_svc.service.upsert_products import MAX_BATCH
from meshkit.errors import NotFound, RecomeshError

log = structlog.get_logger()
MAX_KEPT_REJECTIONS = 100_000
MAX_RAW_CHARACTERS = 20_000
STALE_AFTER = timedelta(seconds=60)
UNFINISHED = (ImportState.QUEUED, ImportState.RUNNING)


@dataclass(frozen=True, slots=True)
class InputLine:
    """One entry of a file: its number from 1, its text (made on demand), and its product, or why it has none."""

    line: int
    raw: Callable[[], str]
    product: Product | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """What a running job works with. `done_bytes` says how far the file is read, `stopped` whether to give up."""

    products: ProductRepository
    jobs: ImportJobRepository
    clock: Callable[[], datetime]
    changed: Callable[[], None]
    done_bytes: Callable[[], int]
    stopped: Callable[[], bool]


def new_job(
    jobs: ImportJobRepository, *, filename: str, format: str, total_bytes: int, owner: str, now: datetime
) -> ImportJob:
    """A queued job, remembered."""
    job_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    job = ImportJob(
        job_id=job_id,
        filename=filename,
        format=format,
        state=ImportState.QUEUED,
        started_at=now,
        seen_at=now,
        owner=owner,
        total_bytes=total_bytes,
    )
    jobs.save(job)
    return job


def run_import(run: ImportRun, job: ImportJob, lines: Callable[[], Iterable[InputLine]]) -> ImportJob:
    """Stores a file in batches of 1,000 and remembers the progress after each.

    A file that is not of its format at all, or a store that goes away, makes the job FAILED; being stopped makes it
    INTERRUPTED. What was stored stays in every case, and the same file sent again changes nothing twice.
    """
    job = _saved(run, replace(job, state=ImportState.RUNNING))
    totals = ImportTotals()
    try:
        entries = iter(lines())
        while batch := list(islice(entries, MAX_BATCH)):
            refused = _store(run, totals, batch)
            job = _saved(run, _progress(run, job, totals), refused[: max(0, MAX_KEPT_REJECTIONS - job.rejected)])
            if run.stopped():
                return _finished(run, job, ImportState.INTERRUPTED)
        return _finished(run, replace(job, done_bytes=job.total_bytes), ImportState.DONE)
    except RecomeshError as error:
        return _finished(run, job, ImportState.FAILED, error.message)


def get_job(jobs: ImportJobRepository, job_id: str, now: datetime) -> ImportJob:
    """One job. NotFound (IMPORT_NOT_FOUND)."""
    job = jobs.get(job_id) if len(job_id) <= 64 and "\x00" not in job_id else None
    if job is None:
        raise NotFound("import", job_id[:64])
    return as_seen(job, now)


def latest_jobs(jobs: ImportJobRepository, limit: int, now: datetime) -> Sequence[ImportJob]:
    """Newest first."""
    return [as_seen(job, now) for job in jobs.latest(limit)]


def as_seen(job: ImportJob, now: datetime) -> ImportJob:
    """A running job that gave no sign for a minute is shown as interrupted."""
    if job.state is ImportState.RUNNING and job.seen_at < now - STALE_AFTER:
        return replace(job, state=ImportState.INTERRUPTED)
    return job


def _store(run: ImportRun, totals: ImportTotals, batch: Sequence[InputLine]) -> list[RejectedInput]:
    first = totals.read
    candidates = [(first + i, entry.product) for i, entry in enumerate(batch) if entry.product is not None]
    unreadable = [Rejection(first + i, "", "", entry.reason) for i, entry in enumerate(batch) if entry.product is None]
    refused = store_batch(run.products, totals, candidates, unreadable, run.clock())
    run.changed()
    return [_input_of(batch[rejection.index - first], rejection) for rejection in refused]


def _input_of(entry: InputLine, rejection: Rejection) -> RejectedInput:
    reason = f"{rejection.field}: {rejection.reason}" if rejection.field else rejection.reason
    return RejectedInput(entry.line, entry.raw()[:MAX_RAW_CHARACTERS], reason)


def _progress(run: ImportRun, job: ImportJob, totals: ImportTotals) -> ImportJob:
    return replace(
        job,
        done_bytes=min(run.done_bytes(), job.total_bytes),
        read=totals.read,
        created=totals.created,
        updated=totals.updated,
        unchanged=totals.unchanged,
        rejected=totals.rejected_count,
    )


def _finished(run: ImportRun, job: ImportJob, state: ImportState, error: str = "") -> ImportJob:
    job = replace(job, state=state, error=error[:2_000], finished_at=run.clock())
    log.info("import_finished", job_id=job.job_id, state=state.value, read=job.read, rejected=job.rejected, error=error)
    try:
        return _saved(run, job)
    except RecomeshError as trouble:
        # The store is away: the job is shown as interrupted once it was not seen for a minute.
        log.warning("import_state_lost", job_id=job.job_id, error=trouble.message)
        return job


def _saved(run: ImportRun, job: ImportJob, rejected: Sequence[RejectedInput] = ()) -> ImportJob:
    job = replace(job, seen_at=run.clock())
    run.jobs.save(job, rejected)
    return job
