"""Use case: history straight into the log, without touching queue, sessions or verdicts of age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reco_svc.domain.ports import InteractionLog
from reco_svc.service.record_interactions import EventVerdict, Verdict
from reco_svc.service.reported_event import ReportedEvent, interaction_of, wrong_field

MAX_REJECTED_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """read = written + duplicate + rejected_count; `rejected` holds the first 1,000 with their reasons."""

    read: int
    written: int
    duplicate: int
    rejected: tuple[EventVerdict, ...]
    rejected_count: int


class ImportInteractions:
    """One import: `add` each chunk, then read `report`. What was added is stored, even if no more chunks come."""

    def __init__(self, log: InteractionLog, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._log = log
        self._clock = clock
        self._read = self._written = self._duplicate = self._rejected_count = 0
        self._rejected: list[EventVerdict] = []

    def add(self, events: Sequence[ReportedEvent]) -> None:
        """Stores the good events of a chunk in one transaction; Unavailable when the log is away."""
        now = self._clock()
        good = []
        for event in events:
            if reason := wrong_field(event, now):
                self._reject(event.event_id, reason)
            else:
                good.append(interaction_of(event, now))
        report = self._log.append(good)
        self._read += len(events)
        self._written += len(report.inserted)
        self._duplicate += report.duplicate

    @property
    def report(self) -> ImportReport:
        """The sum so far."""
        return ImportReport(self._read, self._written, self._duplicate, tuple(self._rejected), self._rejected_count)

    def _reject(self, event_id: str, reason: str) -> None:
        self._rejected_count += 1
        if len(self._rejected) < MAX_REJECTED_SHOWN:
            self._rejected.append(EventVerdict(event_id, Verdict.INVALID, reason))
