"""Receiving from one topic. Coroutines of the IO thread.

The server sends ahead no more than a receiver asked for: the prefetch grows to what was asked for at once. On a fresh
channel the first message comes alone: should it be the one that killed the last worker, this one holds nothing else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pika.exceptions import ChannelClosedByBroker
from pika.spec import BasicProperties

from meshkit.broker.port import Delivery
from meshkit.broker.rabbit_channel import RabbitChannel
from meshkit.broker.rabbit_codec import Carried, carried
from meshkit.broker.rabbit_link import RabbitLink
from meshkit.broker.rabbit_topology import RabbitTopology

ON_ITS_WAY_S = 0.25  # longest wait for what the server says is ready
SHORT_WAIT_S = 0.1  # a receiver that waits no longer than this wants to know for certain that there is nothing


@dataclass(frozen=True, slots=True, eq=False)
class Loan:
    """A delivery in hand: settled on the channel that brought it, or never."""

    channel: RabbitChannel
    tag: int
    carried: Carried


class RabbitConsumer:
    """One channel; `held` counts deliveries that are lent or wait here to be."""

    def __init__(self, link: RabbitLink, topology: RabbitTopology, topic: str) -> None:
        self._link = link
        self._topology = topology
        self._topic = topic
        self._queue = topology.main(topic)
        self._channel: RabbitChannel | None = None
        self._consumer_tag = ""
        self._prefetch = 0
        self._trusting = False
        self._last_tag = self._consumed_from = 0
        self._lent: set[int] = set()
        self._waiting: deque[Loan] = deque()
        self._arrived = asyncio.Event()
        self._tuning = asyncio.Lock()

    @property
    def held(self) -> int:
        """Deliveries the server counts as being here."""
        return len(self._lent) + len(self._waiting) if self._channel and self._channel.is_open else 0

    async def receive(self, limit: int, wait_s: float) -> list[Delivery]:
        """See `port.Broker`."""
        loop = asyncio.get_running_loop()
        deadline, sure = loop.time() + wait_s, wait_s > SHORT_WAIT_S
        while True:
            channel = await self._consuming(limit)
            if taken := self._take(limit):
                return taken
            left_s = deadline - loop.time()
            if left_s <= 0:
                if sure or not await channel.count(self._queue):
                    return self._take(limit)
                sure, left_s = True, ON_ITS_WAY_S
                deadline = loop.time() + left_s
            await self._wait(channel, left_s)

    def loans(self, deliveries: Sequence[Delivery]) -> list[Loan]:
        """Those that can still be settled."""
        loans = [delivery.tag for delivery in deliveries if isinstance(delivery.tag, Loan)]
        return [loan for loan in loans if loan.channel is self._channel and loan.tag in self._lent]

    def ack(self, loans: Sequence[Loan]) -> None:
        """Done with them; what was lost with its channel meanwhile is passed over."""
        for loan in loans:
            if loan.channel.is_open and loan.channel is self._channel and loan.tag in self._lent:
                loan.channel.raw.basic_ack(loan.tag)
                self._lent.discard(loan.tag)

    def drop(self) -> None:
        """Everything held goes back to the queue."""
        if self._channel is not None and self._channel.is_open:
            self._channel.raw.close()
        self._channel = None

    async def _consuming(self, limit: int) -> RabbitChannel:
        """The channel, on which the server sends as much as is wanted now."""
        async with self._tuning:
            channel = await self._open()
            while self._on_its_way() < (wanted := limit if self._trusting else 1):
                await self._consume(channel, wanted - len(self._waiting))
            return channel

    def _on_its_way(self) -> int:
        """Deliveries that wait here, or that the server may still send to the present consumer.

        Of all that is held, only what came after `_consumed_from` counts against the prefetch of that consumer.
        """
        lent = sum(tag > self._consumed_from for tag in self._lent)
        older = sum(loan.tag <= self._consumed_from for loan in self._waiting)
        return self._prefetch - lent + older

    async def _open(self) -> RabbitChannel:
        if self._channel is not None and self._channel.is_open:
            return self._channel
        await self._topology.ensure(self._topic)
        self._channel = channel = await RabbitChannel.on(await self._link.connected())
        channel.raw.add_on_cancel_callback(lambda _: self._cancelled(channel))
        self._consumer_tag, self._prefetch, self._trusting = "", 0, False
        self._last_tag = self._consumed_from = 0
        self._lent, self._waiting, self._arrived = set(), deque(), asyncio.Event()
        return channel

    async def _consume(self, channel: RabbitChannel, prefetch: int) -> None:
        """Consumes anew: the prefetch of a consumer of a quorum queue can not be changed."""
        self._prefetch = 0
        if self._consumer_tag:
            tag, self._consumer_tag = self._consumer_tag, ""
            await channel.ask(lambda done: channel.raw.basic_cancel(tag, callback=done))
        self._consumed_from = self._last_tag
        await channel.ask(lambda done: channel.raw.basic_qos(prefetch_count=prefetch, callback=done))

        def on_message(_channel: object, method: Any, properties: BasicProperties, body: bytes) -> None:
            self._on_message(channel, method.delivery_tag, carried(self._topic, properties, body))

        try:
            await channel.ask(
                lambda done: self._named(channel.raw.basic_consume(self._queue, on_message, callback=done))
            )
        except ChannelClosedByBroker:
            self._topology.forget()
            raise
        self._prefetch = prefetch
        await channel.count(self._queue)  # what is there already arrives before the answer

    def _named(self, consumer_tag: str) -> None:
        self._consumer_tag = consumer_tag

    def _cancelled(self, channel: RabbitChannel) -> None:
        """The server gave the consumer up: its queue was deleted, or lost its leader."""
        if channel is self._channel:
            self._topology.forget()
            self.drop()

    def _on_message(self, channel: RabbitChannel, tag: int, message: Carried) -> None:
        if channel is self._channel:
            self._last_tag = tag
            self._waiting.append(Loan(channel, tag, message))
            self._trusting = self._trusting or not message.suspect
            self._arrived.set()

    def _take(self, limit: int) -> list[Delivery]:
        taken: list[Delivery] = []
        while self._waiting and len(taken) < limit:
            loan = self._waiting[0]
            if loan.carried.suspect and taken:
                break
            self._waiting.popleft()
            self._lent.add(loan.tag)
            taken.append(_delivery(loan))
            if loan.carried.suspect:
                break
        return taken

    async def _wait(self, channel: RabbitChannel, timeout_s: float) -> None:
        """Until something arrives, the channel closes, or the time is over."""
        self._arrived.clear()
        arrived: asyncio.Future[Any] = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait({arrived, channel.closed}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrived.cancel()


def _delivery(loan: Loan) -> Delivery:
    c = loan.carried
    return Delivery(c.message, c.message_id, 1 + c.failures + c.losses, c.published_at, loan)
