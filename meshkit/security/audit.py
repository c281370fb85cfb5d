"""The audit trail: who changed what, who was refused. One structured log event each, and a row that stays.

Entries never hold a secret: actors are `Caller.subject`, keys are named by id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import sqlalchemy as sa
import structlog

from meshkit import context, metrics
from meshkit.errors import RecomeshError
from meshkit.security.sql_database import AUDIT, SecurityDatabase, microseconds, moment

log = structlog.get_logger("audit")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done or refused. `subject` is what it was done to ("key:k3v9…", "POST /product")."""

    at: datetime
    actor: str
    action: str
    subject: str
    outcome: str
    request_id: str = ""
    detail: str = ""


class AuditTrail(Protocol):
    """Where entries stay. Blocking; thread-safe."""

    def append(self, entry: AuditEntry) -> None:
        """Keeps an entry. Unavailable when the store is away."""
        ...

    def latest(self, limit: int) -> Sequence[AuditEntry]:
        """Newest first."""
        ...


class Audit:
    """Says what happened to the log and to the trail. Blocking: from a loop call it through `process.blocking`."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def record(self, actor: str, action: str, subject: str, *, outcome: str = "done", detail: str = "") -> None:
        """Never raises: what can not be kept now is in the log, and counted (`recomesh_audit_lost_total`)."""
        entry = AuditEntry(
            datetime.now(UTC), actor[:200], action[:100], subject[:300], outcome, context.request_id(), detail[:2000]
        )
        log.info("audit", actor=entry.actor, action=entry.action, subject=entry.subject, outcome=outcome, detail=detail)
        metrics.AUDIT_TOTAL.labels(action, outcome).inc()
        try:
            self._trail.append(entry)
        except RecomeshError as error:
            metrics.AUDIT_LOST_TOTAL.inc()
            log.error("audit_not_kept", action=action, subject=subject, trouble=error.message)

    def latest(self, limit: int = 100) -> Sequence[AuditEntry]:
        """Newest first."""
        return self._trail.latest(limit)


class MemoryAuditTrail:
    """The `AuditTrail` port in memory: the last 1,000 entries."""

    def __init__(self) -> None:
        self._entries: deque[AuditEntry] = deque(maxlen=1_000)

    def append(self, entry: AuditEntry) -> None:
        """See the port."""
        self._entries.append(entry)

    def latest(self, limit: int) -> Sequence[AuditEntry]:
        """See the port."""
        return list(reversed(self._entries))[:limit]


class SqlAuditTrail:
    """The `AuditTrail` port in SQL. Nothing here changes or deletes a row."""

    def __init__(self, database: SecurityDatabase) -> None:
        self._database = database

    def append(self, entry: AuditEntry) -> None:
        """See the port."""
        with self._database.transaction() as connection:
            connection.execute(
                sa.insert(AUDIT).values(
                    at_us=microseconds(entry.at),
                    actor=entry.actor,
                    action=entry.action,
                    subject=entry.subject,
                    outcome=entry.outcome,
                    request_id=entry.request_id,
                    detail=entry.detail,
                )
            )

    def latest(self, limit: int) -> Sequence[AuditEntry]:
        """See the port."""
        newest = sa.select(AUDIT).order_by(AUDIT.c.entry.desc()).limit(limit)
        with self._database.transaction() as connection:
            return [
                AuditEntry(moment(r.at_us), r.actor, r.action, r.subject, r.outcome, r.request_id, r.detail)
                for r in connection.execute(newest)
            ]
