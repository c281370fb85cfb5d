"""What keeps the live state current."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reco_svc.domain.fresh_sessions import FreshSessions
from reco_svc.domain.model import EventType, Interaction
from reco_svc.service.live_state import LiveState
from reco_svc.service.purchase_memory import PurchaseMemory
from reco_svc.transport.followers import follow_counts, follow_purchases, follow_sessions
from tests.support.reco_fakes import product, snapshot_of
from tests.support.reco_stores import MemoryInteractionLog


class CountingLog(MemoryInteractionLog):
    """How many events each reading for new ones gave."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []
        self.asked_at_once: list[int] = []

    def purchased(self, visitor_ids: Collection[str], **given: Any) -> Mapping[str, Sequence[str]]:
        self.asked_at_once.append(len(visitor_ids))
        return super().purchased(visitor_ids, **given)

    def recent(self, since: datetime, **given: Any) -> Sequence[Interaction]:
        found = super().recent(since, **given)
        self.read.append(len(found))
        return found


def viewed(visitor: str, product_id: str, ago_s: float) -> Interaction:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return Interaction(f"{visitor}{product_id}", EventType.VIEW_ITEM, visitor, product_id, at)


async def test_the_log_is_read_for_sessions_when_there_is_something_new_and_then_for_that_alone() -> None:
    live, log, fresh = LiveState(dim=4), CountingLog(), FreshSessions()
    swap = live.begin_swap(snapshot_of(product("a"), product("b"), product("c")))
    swap.build()
    live.finish_swap(swap)
    counts, sessions = follow_counts(live, log), follow_sessions(live, log, fresh)

    log.append([viewed("v", "a", 50), viewed("v", "b", 40)])
    for _ in range(3):
        await counts()
        await sessions()
    assert log.read == [2]
    log.append([viewed("v", "c", 1), viewed("w", "a", 45)])  # one of them late
    for _ in range(3):
        await counts()
        await sessions()
    assert log.read == [2, 2]
    assert len(fresh) == 2


async def test_what_many_visitors_bought_is_read_a_hundred_at_once_until_nobody_waits() -> None:
    now, log, memory = datetime.now(UTC), CountingLog(), PurchaseMemory()
    log.append([Interaction(f"e{n}", EventType.PURCHASE, f"v{n}", f"p{n}", now) for n in range(150)])
    for n in range(250):
        assert memory.recent(f"v{n}", now) == ()
    await follow_purchases(memory, log)()
    assert log.asked_at_once == [100, 100, 50]
    assert memory.recent("v7", now) == ("p7",)
    assert memory.recent("v200", now) == ()
    assert memory.wanted() == []
