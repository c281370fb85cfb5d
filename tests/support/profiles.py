"""Use cases of profiles over memory, a clock that stands still, and fakes of what lies outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from meshkit.errors import RecomeshError
from profile_svc.adapters.memory_profile_store import (
    MemoryPreferenceRepository,
    MemoryProfileStore,
    MemorySegmentRepository,
)
from profile_svc.service.use_cases import UseCases, use_cases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class FakeEraser:
    """A recommender that holds `held` records of everyone, or fails."""

    held: Mapping[str, int] = field(default_factory=lambda: {"session": 2, "interactions": 5})
    error: BaseException | None = None
    erased: list[str] = field(default_factory=list)
    store: str = "reco"

    def erase(self, visitor_id: str) -> Mapping[str, int]:
        if self.error:
            raise self.error
        self.erased.append(visitor_id)
        return self.held


@dataclass
class FakeErasureQueue:
    """Remembers orders, or fails."""

    orders: list[tuple[str, str, datetime]] = field(default_factory=list)
    error: RecomeshError | None = None

    def finish_later(self, visitor_id: str, receipt_id: str, at: datetime) -> None:
        if self.error:
            raise self.error
        self.orders.append((visitor_id, receipt_id, at))


@dataclass
class ProfileWorld:
    """Everything a test may look at."""

    store: MemoryProfileStore
    preferences: MemoryPreferenceRepository
    segments: MemorySegmentRepository
    eraser: FakeEraser
    queue: FakeErasureQueue
    do: UseCases = field(init=False)
    now: datetime = NOON


def profile_world() -> ProfileWorld:
    store, eraser, queue = MemoryProfileStore(), FakeEraser(), FakeErasureQueue()
    preferences, segments = MemoryPreferenceRepository(store), MemorySegmentRepository(store)
    world = ProfileWorld(store, preferences, segments, eraser, queue)
    world.do = use_cases(preferences, segments, eraser, queue, lambda: world.now)
    return world
