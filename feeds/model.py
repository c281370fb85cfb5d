"""What a reader yields, and the report an import ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from recomesh.catalog.v1 import catalog_pb2
from recomesh.reco.v1 import reco_pb2

_MAX_REASONS = 100


@dataclass(frozen=True, slots=True)
class ParsedProduct:
    """A product and the line (from 1; the item's number in XML) it came from. Lengths and counts are unchecked."""

    line: int
    product: catalog_pb2.Product


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """An interaction and the line (from 1) it came from. `event_id` and `at` are always set."""

    line: int
    interaction: reco_pb2.Interaction


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line (from 1) that is not imported: its text as read, so that it can be mended and sent again, and why."""

    line: int
    raw: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """Counts of one import: entries read, written, unchanged (stored before), and rejected by reason."""

    read: int = 0
    written: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def rejected_total(self) -> int:
        """All rejected entries."""
        return self.rejected.total()

    def reject(self, reason: str, count: int = 1) -> None:
        """Counts rejected entries. Past 100 different reasons the rest is counted as "other reasons"."""
        known = reason in self.rejected or len(self.rejected) < _MAX_REASONS
        self.rejected[reason if known else "other reasons"] += count

    def as_dict(self) -> dict[str, object]:
        """For JSON: read, written, unchanged, rejected, and reasons (most frequent first)."""
        return {
            "read": self.read,
            "written": self.written,
            "unchanged": self.unchanged,
            "rejected": self.rejected_total,
            "reasons": dict(self.rejected.most_common()),
        }
