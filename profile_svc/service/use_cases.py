"""Everything the service can do, wired: what both transports are handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from profile_svc.domain.ports import ErasureQueue, PreferenceRepository, SegmentRepository, VisitorEraser
from profile_svc.service.changes import ListPreferenceChanges
from profile_svc.service.erase import EraseProfile, Receipts, RelayErasures
from profile_svc.service.preferences import BrowseVisitors, ReadPreferences, UpdatePreferences
from profile_svc.service.segments import Segments


@dataclass(frozen=True, slots=True)
class UseCases:
    """One field per use case."""

    read: ReadPreferences
    update: UpdatePreferences
    browse: BrowseVisitors
    erase: EraseProfile
    relay: RelayErasures
    receipts: Receipts
    changes: ListPreferenceChanges
    segments: Segments


def use_cases(
    preferences: PreferenceRepository,
    segments: SegmentRepository,
    eraser: VisitorEraser,
    queue: ErasureQueue,
    clock: Callable[[], datetime],
) -> UseCases:
    """All use cases over these adapters."""
    return UseCases(
        read=ReadPreferences(preferences),
        update=UpdatePreferences(preferences, clock),
        browse=BrowseVisitors(preferences),
        erase=EraseProfile(preferences, eraser, queue, clock),
        relay=RelayErasures(preferences, queue, clock),
        receipts=Receipts(preferences),
        changes=ListPreferenceChanges(preferences),
        segments=Segments(segments, preferences),
    )
