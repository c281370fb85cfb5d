"""Use case of the queue worker: events from the queue into the log, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reco_svc.domain.model import Interaction
from reco_svc.domain.ports import InteractionLog


@dataclass(frozen=True, slots=True)
class WriteReport:
    """`written` events were new; `duplicate` ones were in the log already, or of an erased visitor."""

    written: int
    duplicate: int


class WriteInteractions:
    """Safe to repeat: an event id that is in the log changes nothing."""

    def __init__(self, log: InteractionLog) -> None:
        self._log = log

    def __call__(self, events: Sequence[Interaction]) -> WriteReport:
        """All or nothing; Unavailable when the log is away, then deliver again."""
        report = self._log.append(events)
        return WriteReport(len(report.inserted), report.duplicate)
