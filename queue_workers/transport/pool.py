"""All consumers of a process: started together, stopped together."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import structlog

from meshkit.broker.port import Broker
from queue_workers.transport.consumer import Consumer, Subscription

log = structlog.get_logger()


class ConsumerPool:
    """As many consumers for each subscription as it asks for."""

    def __init__(self, broker: Broker, subscriptions: Iterable[Subscription]) -> None:
        self.consumers: Sequence[Consumer] = [Consumer(broker, s) for s in subscriptions for _ in range(s.consumers)]
        self._stopped = False

    def start(self, *topics: str) -> None:
        """Starts the consumers of these topics, unless the pool was stopped or they run already."""
        for consumer in self.consumers:
            if consumer.topic in topics and not self._stopped and not consumer.alive:
                consumer.start()

    @property
    def trouble(self) -> str:
        """Names the topics whose consumer has ended though nobody asked it to; else ""."""
        ended = sorted({c.topic for c in self.consumers if c.started and not c.alive})
        return "" if self._stopped or not ended else f"consumers ended: {', '.join(ended)}"

    def stop(self, within_s: float) -> bool:
        """Lets every consumer finish the batch at hand; True if all did in time. Blocking.

        What the others hold goes back to the queue when it is closed.
        """
        self._stopped = True
        for consumer in self.consumers:
            consumer.stop()
        deadline = time.monotonic() + within_s
        late = [c.topic for c in self.consumers if not c.join(max(0.0, deadline - time.monotonic()))]
        if late:
            log.warning("batches_given_up", topics=late)
        return not late
