"""Dead letters on RabbitMQ. Coroutines of the IO thread.

To look at a queue is to take its messages and to give them back: who looks at the same time sees fewer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from meshkit.broker.port import DeadLetter
from meshkit.broker.rabbit_channel import RabbitChannel
from meshkit.broker.rabbit_codec import dead_letter
from meshkit.broker.rabbit_link import RabbitLink
from meshkit.broker.rabbit_topology import RabbitTopology


@dataclass(frozen=True, slots=True)
class _Taken:
    tag: int
    letter: DeadLetter


class RabbitLetters:
    """One visitor of a queue of dead letters at a time, each on a channel of its own."""

    def __init__(self, link: RabbitLink, topology: RabbitTopology, max_losses: int) -> None:
        self._link = link
        self._topology = topology
        self._max_losses = max_losses
        self._visiting = asyncio.Lock()

    async def count(self, topic: str) -> int:
        """How many there are."""
        await self._topology.ensure(topic)
        return await (await self._link.channel("declare")).count(self._topology.dead(topic))

    async def first(self, topic: str, limit: int) -> list[DeadLetter]:
        """Up to `limit`, oldest first."""
        async with self._visit(topic) as channel:
            return [taken.letter for taken in await self._take(channel, topic, limit)]

    async def move(
        self,
        topic: str,
        letter_ids: Sequence[str] | None,
        to: Callable[[Sequence[DeadLetter]], Awaitable[None]] | None = None,
    ) -> int:
        """Takes letters away (None: all), after `to` has stored them elsewhere; returns how many."""
        async with self._visit(topic) as channel:
            wanted = None if letter_ids is None else set(letter_ids)
            taken = await self._take(channel, topic, None)
            chosen = [t for t in taken if wanted is None or t.letter.letter_id in wanted]
            if chosen and to is not None:
                await to([t.letter for t in chosen])
            for each in chosen:
                channel.raw.basic_ack(each.tag)
            return len(chosen)

    @asynccontextmanager
    async def _visit(self, topic: str) -> AsyncIterator[RabbitChannel]:
        """What is not acknowledged at the end goes back to its place.

        Always on the same channel, which the server serves in order: the next visit sees what this one gave back.
        """
        await self._topology.ensure(topic)
        async with self._visiting:
            channel = await self._link.channel("letters")
            try:
                yield channel
            except BaseException:
                if channel.is_open:
                    channel.raw.close()
                raise
            channel.raw.basic_nack(0, multiple=True, requeue=True)

    async def _take(self, channel: RabbitChannel, topic: str, limit: int | None) -> list[_Taken]:
        queue = self._topology.dead(topic)
        taken: list[_Taken] = []
        while (limit is None or len(taken) < limit) and (got := await channel.get(queue)):
            method, properties, body = got
            taken.append(_Taken(method.delivery_tag, dead_letter(topic, properties, body, self._max_losses)))
        return taken
