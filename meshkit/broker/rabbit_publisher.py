"""Publishing with confirms: done when the server has stored every message. Coroutines of the IO thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from pika.spec import BasicProperties

from meshkit.broker.rabbit_channel import RabbitChannel
from meshkit.broker.rabbit_link import RabbitLink
from meshkit.broker.rabbit_topology import RabbitTopology


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message and the queue it goes to."""

    queue: str
    properties: BasicProperties
    body: bytes


@dataclass(slots=True, eq=False)
class _Batch:
    """Messages published together; `done` gets "" or why one of them was not taken."""

    done: asyncio.Future[str]
    left: int
    trouble: str = ""


@dataclass(slots=True)
class _Confirms:
    """What one channel still waits for: delivery tags count from 1 on every channel."""

    last_tag: int = 0
    by_tag: dict[int, _Batch] = field(default_factory=dict)
    by_message: dict[str, _Batch] = field(default_factory=dict)


class RabbitPublisher:
    """One confirming channel for all publishers; the confirms of a batch arrive while others are on their way."""

    def __init__(self, link: RabbitLink, topology: RabbitTopology) -> None:
        self._link = link
        self._topology = topology
        self._confirms = _Confirms()

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """In the given order. Unavailable or AMQPError when not every one was taken; some may have been."""
        self._link.check_not_blocked()
        channel = await self._link.channel("publish", self._prepare)
        confirms = self._confirms
        batch = _Batch(asyncio.get_running_loop().create_future(), len(messages))
        for message in messages:
            confirms.last_tag += 1
            confirms.by_tag[confirms.last_tag] = batch
            confirms.by_message[message.properties.message_id] = batch
            channel.raw.basic_publish("", message.queue, message.body, message.properties, mandatory=True)
        try:
            trouble = await channel.reply(batch.done)
        finally:
            for message in messages:
                confirms.by_message.pop(message.properties.message_id, None)
        if trouble:
            self._topology.forget()
            raise self._link.away(trouble)

    async def _prepare(self, channel: RabbitChannel) -> None:
        confirms = self._confirms = _Confirms()

        def on_confirm(frame: Any) -> None:
            _settle(confirms, frame.method)

        def on_return(_channel: object, method: Any, properties: BasicProperties, _body: bytes) -> None:
            if batch := confirms.by_message.get(properties.message_id):
                batch.trouble = f"queue {method.routing_key!r} takes no message: {method.reply_text}"

        channel.raw.add_on_return_callback(on_return)
        await channel.ask(lambda done: channel.raw.confirm_delivery(on_confirm, done))


def _settle(confirms: _Confirms, method: Any) -> None:
    """An Ack or Nack of the server for one tag, or for all up to it."""
    tag = method.delivery_tag
    tags = list(takewhile(lambda t: t <= tag, confirms.by_tag)) if method.multiple else [tag]
    for each in tags:
        batch = confirms.by_tag.pop(each, None)
        if batch is None:
            continue
        batch.left -= 1
        if method.NAME == "Basic.Nack":
            batch.trouble = batch.trouble or "the server refused a message"
        if batch.left == 0 and not batch.done.done():
            batch.done.set_result(batch.trouble)
