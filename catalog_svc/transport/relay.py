"""The background task that hands changed products to the queue."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from prometheus_client import Counter, Gauge

from catalog_svc.domain.ports import ProductRepository, RelayCursor
from catalog_svc.service.relay_changes import relay_changes
from meshkit.broker.port import Broker
from meshkit.errors import RecomeshError
from meshkit.process import blocking

log = structlog.get_logger()
RELAYED = Counter("recomesh_catalog_relayed_total", "Product changes handed to the queue")
FAILING = Gauge("recomesh_catalog_relay_failing", "1 while changes can not be handed to the queue")


class Relay:
    """Looks for changes when woken, and every `interval_s` for what other processes wrote.

    Trouble is logged once per outage and retried; it never stops the catalog from serving.
    """

    def __init__(
        self, repository: ProductRepository, cursor: RelayCursor, broker: Broker, *, interval_s: float = 0.2
    ) -> None:
        self._repository = repository
        self._cursor = cursor
        self._broker = broker
        self._interval_s = interval_s
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.trouble = ""

    def wake(self) -> None:
        """There may be changes; to be called from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Relays until `stop` is set, then hands over what is left."""
        while not stop.is_set():
            self._wake.clear()
            if not await self.step():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._interval_s)
        while await self.step():
            pass

    async def step(self) -> int:
        """One round; how many changes went out, 0 if none or in trouble."""
        try:
            relayed = await blocking(relay_changes, self._repository, self._cursor, self._broker)
        except RecomeshError as error:
            if not self.trouble:
                log.warning("relay_stuck", reason=error.reason, error=error.message)
            self.trouble = error.message
            FAILING.set(1)
            return 0
        if self.trouble:
            log.info("relay_back")
        self.trouble = ""
        FAILING.set(0)
        RELAYED.inc(relayed)
        return relayed
