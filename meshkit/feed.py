"""Following a change feed: ask for what came after a cursor, apply it, remember the cursor, ask again.

The edge and the recommender keep copies of catalog state this way; a feed needs no queue, survives restarts of either
side and serves any number of followers.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from meshkit.errors import RecomeshError

log = structlog.get_logger()
Change = TypeVar("Change")


@dataclass(frozen=True, slots=True)
class FeedPage(Generic[Change]):
    """Changes in order, where to go on, and whether more wait now."""

    changes: Sequence[Change]
    next_revision: int
    has_more: bool


class FeedFollower(Generic[Change]):
    """Polls `fetch(after_revision)` every `interval_s` and hands each non-empty page to `apply`.

    A failure is logged once per outage and retried; `apply` sees every change at least once, in order.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[int], Awaitable[FeedPage[Change]]],
        apply: Callable[[Sequence[Change]], Awaitable[None]],
        *,
        after_revision: int = 0,
        interval_s: float = 0.3,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._apply = apply
        self._interval_s = interval_s
        self.revision = after_revision
        self.last_success: float | None = None
        self.caught_up = asyncio.Event()
        self._failing = False

    @property
    def age_s(self) -> float | None:
        """Seconds since the feed was last read to its end; None: never."""
        return None if self.last_success is None else time.monotonic() - self.last_success

    async def poll(self) -> bool:
        """Reads one page; True if more waits now. Raises what `fetch` and `apply` raise."""
        page = await self._fetch(self.revision)
        if page.changes:
            await self._apply(page.changes)
        self.revision = page.next_revision
        if not page.has_more:
            self.last_success = time.monotonic()
            self.caught_up.set()
        return page.has_more

    async def run(self, stop: asyncio.Event) -> None:
        """Follows until `stop` is set."""
        while not stop.is_set():
            more = False
            try:
                more = await self.poll()
                if self._failing:
                    log.info("feed_back", feed=self._name)
                self._failing = False
            except RecomeshError as error:
                if not self._failing:
                    log.warning("feed_away", feed=self._name, reason=error.reason, error=error.message)
                self._failing = True
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._interval_s)
