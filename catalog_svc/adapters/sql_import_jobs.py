"""Import jobs in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from catalog_svc.adapters.product_content import from_micros, to_micros
from catalog_svc.adapters.sql_engine import Database, execute_many, replace_all
from catalog_svc.adapters.sql_tables import import_job as t
from catalog_svc.adapters.sql_tables import import_rejection
from catalog_svc.domain.model import ImportJob, ImportState, RejectedInput

_UNFINISHED = (ImportState.QUEUED.value, ImportState.RUNNING.value)
_MOMENTS = ("started_at", "seen_at", "finished_at")


class SqlImportJobRepository:
    """See `domain.ports.ImportJobRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, job: ImportJob, rejected: Sequence[RejectedInput] = ()) -> None:
        """See the port."""
        row: dict[str, object] = asdict(job)
        row |= {name: None if row[name] is None else to_micros(getattr(job, name)) for name in _MOMENTS}
        row["state"] = job.state.value
        lines = {r.line: {"job_id": job.job_id, "line": r.line, "raw": r.raw, "reason": r.reason} for r in rejected}
        with self._database.writing() as connection:
            execute_many(connection, replace_all(self._database.dialect, t, "job_id"), [row])
            if lines:
                known = connection.execute(
                    sa.select(import_rejection.c.line).where(
                        import_rejection.c.job_id == job.job_id, import_rejection.c.line.in_(list(lines))
                    )
                ).scalars()
                for line in known:
                    lines.pop(line)
                execute_many(connection, sa.insert(import_rejection), list(lines.values()))

    def get(self, job_id: str) -> ImportJob | None:
        """See the port."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(t).where(t.c.job_id == job_id)).mappings().first()
        return None if row is None else _job(row)

    def latest(self, limit: int) -> Sequence[ImportJob]:
        """See the port."""
        statement = sa.select(t).order_by(t.c.started_at.desc(), t.c.job_id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(statement).mappings()]

    def rejected(self, job_id: str, *, after_line: int, limit: int) -> Sequence[RejectedInput]:
        """See the port."""
        c = import_rejection.c
        statement = (
            sa.select(c.line, c.raw, c.reason)
            .where(c.job_id == job_id, c.line > after_line)
            .order_by(c.line)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [RejectedInput(line, raw, reason) for line, raw, reason in connection.execute(statement)]

    def interrupt(self, owner: str, *, stale_before: datetime, now: datetime) -> int:
        """See the port."""
        mine = sa.or_(t.c.owner == owner, t.c.seen_at < to_micros(stale_before))
        statement = (
            sa.update(t)
            .where(t.c.state.in_(_UNFINISHED), mine)
            .values(state=ImportState.INTERRUPTED.value, finished_at=to_micros(now))
        )
        with self._database.writing() as connection:
            return int(connection.execute(statement).rowcount)


def _job(row: sa.RowMapping) -> ImportJob:
    values = dict(row)
    values |= {name: None if values[name] is None else from_micros(values[name]) for name in _MOMENTS}
    values["state"] = ImportState(values["state"])
    return ImportJob(**values)
