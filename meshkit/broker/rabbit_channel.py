"""A channel of RabbitMQ for coroutines: each method waits for its reply, and fails when the channel closes instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel
from pika.spec import Basic

T = TypeVar("T")
Reply = Callable[[Any], None]
Got = tuple[Any, Any, bytes]  # method, properties, body


class RabbitChannel:
    """`raw` is for what has no reply (publish, ack, nack). AMQPError when the channel or its connection closes."""

    def __init__(self, raw: Channel) -> None:
        self.raw = raw
        self.closed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._getting: asyncio.Future[Got | None] = asyncio.get_running_loop().create_future()
        raw.add_callback(lambda _: self._got(None), [Basic.GetEmpty], one_shot=False)
        raw.add_on_close_callback(lambda _, error: resolve(self.closed, error))

    @classmethod
    async def on(cls, connection: AsyncioConnection) -> RabbitChannel:
        """A new channel on a connection."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        channel = cls(connection.channel(on_open_callback=lambda _: resolve(opened, None)))
        await channel.reply(opened)
        return channel

    @property
    def is_open(self) -> bool:
        """True until someone closes it."""
        return bool(self.raw.is_open) and not self.closed.done()

    async def ask(self, send: Callable[[Reply], object]) -> Any:
        """Calls `send` with the callback for the reply, and returns what the callback was given."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        send(lambda frame: resolve(answer, frame))
        return await self.reply(answer)

    async def reply(self, answer: asyncio.Future[Any]) -> Any:
        """The result of `answer`, or the error that closed the channel."""
        await asyncio.wait({answer, self.closed}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise self.closed.result()

    async def declare(self, queue: str, arguments: Mapping[str, object]) -> None:
        """A durable queue with these arguments, made when it is missing."""
        await self.ask(
            lambda done: self.raw.queue_declare(queue, durable=True, arguments=dict(arguments), callback=done)
        )

    async def round_trip(self) -> None:
        """Asks the server for what it always has."""
        await self.ask(lambda done: self.raw.exchange_declare("amq.direct", passive=True, callback=done))

    async def count(self, queue: str) -> int:
        """Messages of a queue that wait for a consumer."""
        frame = await self.ask(lambda done: self.raw.queue_declare(queue, passive=True, callback=done))
        return int(frame.method.message_count)

    async def get(self, queue: str) -> Got | None:
        """The first message of a queue, not acknowledged yet; None when it is empty. One call at a time."""
        self._getting = asyncio.get_running_loop().create_future()
        self.raw.basic_get(queue, lambda _, method, properties, body: self._got((method, properties, body)))
        result: Got | None = await self.reply(self._getting)
        return result

    def _got(self, message: Got | None) -> None:
        resolve(self._getting, message)


def resolve(future: asyncio.Future[T], value: T) -> None:
    """Sets the result of a future for which nobody may wait any more."""
    if not future.done():
        future.set_result(value)
