"""Import jobs in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from catalog_svc.domain.model import ImportJob, ImportState, RejectedInput


class MemoryImportJobRepository:
    """See `domain.ports.ImportJobRepository`."""

    def __init__(self) -> None:
        self._jobs: dict[str, ImportJob] = {}
        self._rejected: dict[str, dict[int, RejectedInput]] = {}

    def save(self, job: ImportJob, rejected: Sequence[RejectedInput] = ()) -> None:
        """See the port."""
        self._jobs[job.job_id] = job
        kept = self._rejected.setdefault(job.job_id, {})
        for entry in rejected:
            kept.setdefault(entry.line, entry)

    def get(self, job_id: str) -> ImportJob | None:
        """See the port."""
        return self._jobs.get(job_id)

    def latest(self, limit: int) -> Sequence[ImportJob]:
        """See the port."""
        return sorted(self._jobs.values(), key=lambda job: (job.started_at, job.job_id), reverse=True)[:limit]

    def rejected(self, job_id: str, *, after_line: int, limit: int) -> Sequence[RejectedInput]:
        """See the port."""
        kept = self._rejected.get(job_id, {})
        return [kept[line] for line in sorted(kept) if line > after_line][:limit]

    def interrupt(self, owner: str, *, stale_before: datetime, now: datetime) -> int:
        """See the port."""
        left = [
            job
            for job in self._jobs.values()
            if job.state in (ImportState.QUEUED, ImportState.RUNNING)
            and (job.owner == owner or job.seen_at < stale_before)
        ]
        for job in left:
            self._jobs[job.job_id] = replace(job, state=ImportState.INTERRUPTED, finished_at=now)
        return len(left)
