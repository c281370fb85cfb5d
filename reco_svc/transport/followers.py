"""What keeps the live state current: loops over the catalog, preferences, counters, rules, vectors and snapshots.

Everything is read in threads or over asyncio and applied on the event loop, which owns the live state.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from meshkit.errors import FailedPrecondition, NotFound, RecomeshError
from meshkit.health import Health
from meshkit.pace import Pace, no_pause
from meshkit.process import blocking
from reco_svc.domain.fresh_sessions import FreshSessions
from reco_svc.domain.ports import (
    EmbeddingStore,
    HourlyCount,
    InteractionLog,
    RuleRepository,
    SessionStore,
    SnapshotStore,
)
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.snapshot import Snapshot
from reco_svc.service.live_state import LiveState
from reco_svc.service.purchase_memory import PurchaseMemory
from reco_svc.service.record_interactions import sessions_of

log = structlog.get_logger()
FRESH_S = 86_400.0  # how far back sessions are fresh
LATE_S = 120.0
FRESH_AT_ONCE = 20_000
COUNTS_AT_ONCE = 2_000  # a few milliseconds on the event loop
Step = Callable[[], Awaitable[None]]


class Loop:
    """Runs `step` every `interval_s` until stopped; an outage is logged once, when it begins and when it ends."""

    def __init__(self, name: str, step: Step, interval_s: float) -> None:
        self._name = name
        self._step = step
        self._interval_s = interval_s
        self._failing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            await self.once()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._interval_s)

    async def once(self) -> None:
        """One step; an error of the tree is logged, not raised."""
        try:
            await self._step()
            if self._failing:
                log.info("follow_back", what=self._name)
            self._failing = False
        except RecomeshError as error:
            if not self._failing:
                log.warning("follow_away", what=self._name, reason=error.reason, error=error.message)
            self._failing = True


def follow_counts(live: LiveState, interactions: InteractionLog) -> Step:
    """Counters that changed since the last step, to their end."""

    async def step() -> None:
        while True:
            counts = await blocking(_counts_after, interactions, live.counts_revision)
            if counts:
                live.apply_counts(counts)
            if len(counts) < COUNTS_AT_ONCE:
                return

    return step


def _counts_after(interactions: InteractionLog, revision: int) -> Sequence[HourlyCount]:
    return interactions.counts_after(revision, limit=COUNTS_AT_ONCE)


def follow_rules(live: LiveState, rules: RuleRepository) -> Step:
    """The rules whenever their version changes."""
    known: list[str] = []

    async def step() -> None:
        version = await blocking(rules.version)
        if known != [version]:
            current = await blocking(rules.current)
            live.set_rules(current)
            known[:] = [current.version]

    return step


def follow_vectors(live: LiveState, embeddings: EmbeddingStore) -> Step:
    """Vectors of texts that came after the snapshot, as workers embed them."""

    async def step() -> None:
        snapshot, hashes = live.view().snapshot, live.pending_hashes()
        if snapshot is not None and hashes:
            live.vectors_arrived(await blocking(embeddings.get, snapshot.embedder, hashes))

    return step


def follow_purchases(purchases: PurchaseMemory, interactions: InteractionLog) -> Step:
    """Earlier purchases of the visitors who were asked about."""

    async def step() -> None:
        while wanted := purchases.wanted():
            found = await blocking(interactions.purchased, wanted)
            for visitor_id in wanted:
                purchases.loaded(visitor_id, found.get(visitor_id, ()), datetime.now(UTC))

    return step


def restore_sessions(sessions: SessionStore, interactions: InteractionLog, silence: timedelta) -> Step:
    """Sessions as the log has them, into a store that knows none: memory after a restart, a Redis that lost its own."""

    async def step() -> None:
        if await blocking(sessions.is_blank):
            now = datetime.now(UTC)
            recent = await blocking(interactions.recent, now - silence)
            await blocking(sessions.restore, sessions_of(recent), now)

    return step


def follow_sessions(live: LiveState, interactions: InteractionLog, fresh: FreshSessions) -> Step:
    """Sessions that the snapshot has not seen, running ones too, as neighbours of the next."""
    made: list[tuple[int, ProductTable]] = []
    read: tuple[str, int] | None = None

    async def step() -> None:
        nonlocal read
        view = live.view()
        if view.snapshot is None:
            return
        state = (view.snapshot.version, live.counts_revision)  # an event that matters here comes with its count
        if state != read:
            await blocking(_catch_up, interactions, fresh, view.snapshot)
            read = state
        if made and made[0][0] == fresh.version and made[0][1] is view.products:
            return
        version, table = fresh.version, view.products
        index = await blocking(fresh.index, table.row, len(table), view.snapshot.sessions.idf)
        live.set_fresh_sessions(index, table)
        made[:] = [(version, table)]

    return step


def _catch_up(interactions: InteractionLog, fresh: FreshSessions, snapshot: Snapshot) -> None:
    """Events since those read last, and a little before: workers write them in no strict order."""
    known_s = snapshot.facts.get("newest_event_s", 0.0)
    since_s = max(known_s, fresh.newest_s - LATE_S, datetime.now(UTC).timestamp() - FRESH_S)
    fresh.forget_until(known_s)
    since = datetime.fromtimestamp(since_s, UTC)
    fresh.add(interactions.recent(since, limit=FRESH_AT_ONCE, known=fresh.known))


class LoadsSnapshot(Protocol):
    """Reads a snapshot; between two pieces of the work it calls `pause`."""

    def __call__(self, version: str, *, pause: Callable[[], None]) -> Snapshot:
        """NotFound, or FailedPrecondition when it is not whole."""


def follow_snapshot(live: LiveState, snapshots: SnapshotStore, load: LoadsSnapshot, health: Health) -> Step:
    """The active snapshot. One that can not be loaded is refused once and logged; what answers stays."""
    tried = ""

    async def step() -> None:
        nonlocal tried
        version = await blocking(snapshots.active)
        if version and version not in (tried, live.model_version):
            tried = version
            try:
                await _bring_in(live, load, version)
            except (NotFound, FailedPrecondition) as error:
                log.error("snapshot_refused", version=version, reason=error.reason, error=error.message)
        await health.set("snapshot")

    return step


async def _bring_in(live: LiveState, load: LoadsSnapshot, version: str) -> None:
    pause = Pace() if live.model_version else no_pause
    swap = live.begin_swap(await blocking(partial(load, version, pause=pause)))
    try:
        await blocking(swap.build)
    except BaseException:
        live.cancel_swap(swap)
        raise
    if live.finish_swap(swap):
        log.info("snapshot_active", version=version)
        await blocking(swap.let_go)
