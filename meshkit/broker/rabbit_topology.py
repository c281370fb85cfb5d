"""The queues of a topic on RabbitMQ, all quorum queues.

    recomesh.TOPIC              what is to be done; what was lost with its consumer too often goes to the dead letters
    recomesh.TOPIC.retry.Nms    what failed waits here until its time is over, then returns to recomesh.TOPIC
    recomesh.TOPIC.dead         dead letters

Messages move between them by the server itself, at least once: a queue gives a message up only when the next has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from meshkit.broker.port import MAX_LOSSES
from meshkit.broker.rabbit_link import RabbitLink

PREFIX = "recomesh."
RETRY_STEPS_MS = (100, 400, 1_600, 6_400, 30_000)
NO_LIMIT = 1_000_000_000  # newer servers take 20 for a delivery limit that is left out


class RabbitTopology:
    """Declares the queues of a topic when they are first needed, and knows their names."""

    def __init__(self, link: RabbitLink, *, prefix: str = PREFIX, max_losses: int = MAX_LOSSES) -> None:
        self._link = link
        self._prefix = prefix
        self._max_losses = max_losses
        self._there: set[str] = set()
        self._declaring = asyncio.Lock()

    def main(self, topic: str) -> str:
        """Queue of what is to be done."""
        return f"{self._prefix}{topic}"

    def dead(self, topic: str) -> str:
        """Queue of the dead letters."""
        return f"{self._prefix}{topic}.dead"

    def retries(self, topic: str) -> list[str]:
        """Queues of what waits for its next attempt, shortest wait first."""
        return [self._retry(topic, step_ms) for step_ms in RETRY_STEPS_MS]

    def after(self, topic: str, delay_s: float) -> str:
        """Queue that brings a message back after `delay_s`: the next longer step, 30 s at most."""
        if delay_s <= 0:
            return self.main(topic)
        step_ms = next((step for step in RETRY_STEPS_MS if step >= delay_s * 1000), RETRY_STEPS_MS[-1])
        return self._retry(topic, step_ms)

    async def ensure(self, topic: str) -> None:
        """All queues of a topic are there."""
        if topic in self._there:
            return
        async with self._declaring:
            if topic in self._there:
                return
            channel = await self._link.channel("declare")
            for queue, arguments in self._queues(topic).items():
                await channel.declare(queue, arguments)
            self._there.add(topic)

    def forget(self) -> None:
        """A queue turned out to be missing: look again before the next use."""
        self._there.clear()

    def _retry(self, topic: str, step_ms: int) -> str:
        return f"{self._prefix}{topic}.retry.{step_ms}ms"

    def _queues(self, topic: str) -> Mapping[str, Mapping[str, object]]:
        """Dead letters first: whatever refers to a queue is made after it."""
        queues = {
            self.dead(topic): _quorum(),
            self.main(topic): _quorum(then=self.dead(topic), limit=self._max_losses - 1),
        }
        for step_ms in RETRY_STEPS_MS:
            queues[self._retry(topic, step_ms)] = _quorum(then=self.main(topic)) | {"x-message-ttl": step_ms}
        return queues


def _quorum(*, then: str = "", limit: int = NO_LIMIT) -> dict[str, object]:
    """Arguments of a quorum queue; `then` is where messages go that expire or were returned more than `limit` times."""
    arguments: dict[str, object] = {"x-queue-type": "quorum", "x-delivery-limit": limit}
    if then:
        arguments |= {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": then,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    return arguments
