"""One connection to RabbitMQ, kept by an IO thread with an event loop of its own: pika is not thread-safe.

Everything else of this adapter are coroutines that run in that thread; `RabbitLink.call` runs one from any thread
within a bounded time. The connection is made again, with growing pauses, for as long as the link is open.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pika
import structlog
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError

from meshkit.broker.rabbit_channel import RabbitChannel, resolve
from meshkit.errors import Unavailable
from meshkit.settings import shown

log = structlog.get_logger()
T = TypeVar("T")
Prepare = Callable[[RabbitChannel], Coroutine[Any, Any, None]]
HEARTBEAT_S = 20  # a training may keep the IO thread from the processor for seconds
BLOCKED_S = 30.0
CONNECT_S = 5.0
PAUSES_S = (0.1, 1.0)  # shortest and longest pause between two attempts to connect
GRACE_S = 1.0  # what the caller's thread waits beyond the time of a call, before it takes the IO thread for hung


class RabbitLink:
    """Connects from the first moment on; `call` waits for the first attempt and no longer."""

    def __init__(self, url: str) -> None:
        logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells each lost connection in ten lines
        self._parameters = _parameters(url)
        self._shown = shown(url)
        self._connection: AsyncioConnection | None = None
        self._channels: dict[str, RabbitChannel] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self.blocked = ""
        self._attempted = asyncio.Event()
        self._closing = asyncio.Event()
        self._closed = False
        self.trouble = "not connected yet"
        self.server_version = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="rabbit-io", daemon=True)
        self._thread.start()

    def call(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        timeout_s: float,
        *,
        abandoned: Callable[[], None] | None = None,
    ) -> T:
        """Runs `work` in the IO thread; Unavailable when it does not end within `timeout_s` or the connection fails.

        `abandoned` runs in the IO thread when this thread went away before `work` ended, so that its result is lost.
        """
        if self._closed:
            raise Unavailable("queue", "the queue is closed")
        future = asyncio.run_coroutine_threadsafe(self._bounded(work, timeout_s), self._loop)
        try:
            return future.result(timeout_s + GRACE_S)
        except (concurrent.futures.CancelledError, TimeoutError) as error:
            future.cancel()
            if abandoned is not None and not self._closed:
                self._loop.call_soon_threadsafe(abandoned)
            raise self.away("no answer in time") from error

    async def channel(self, name: str, prepare: Prepare | None = None) -> RabbitChannel:
        """The open channel of that name, made (and prepared) when it is missing."""
        async with self._opening.setdefault(name, asyncio.Lock()):
            channel = self._channels.get(name)
            if channel is None or not channel.is_open:
                channel = await RabbitChannel.on(await self.connected())
                if prepare is not None:
                    await prepare(channel)
                self._channels[name] = channel
            return channel

    async def connected(self) -> AsyncioConnection:
        """The connection; Unavailable when there is none. Waits for the very first attempt."""
        await self._attempted.wait()
        if self._connection is None or not self._connection.is_open:
            raise self.away(self.trouble or "the connection is just being lost")
        return self._connection

    def check_not_blocked(self) -> None:
        """Unavailable while the server takes no messages (its memory or disk is full)."""
        if self.blocked:
            raise self.away(f"it takes no messages: {self.blocked}")

    def away(self, why: str) -> Unavailable:
        """The error for a queue that can not be used."""
        return Unavailable("queue", f"queue {self._shown}: {why}")

    def close(self) -> None:
        """Ends the connection and the thread. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    async def _bounded(self, work: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                return await work()
        except TimeoutError as error:
            raise self.away(f"no answer within {timeout_s:g} s") from error
        except AMQPError as error:
            raise self.away(_reason(error)) from error

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep_connected())
            pending = asyncio.all_tasks(self._loop)
            for task in pending:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        finally:
            self._loop.close()

    async def _keep_connected(self) -> None:
        pause_s, longest_s = PAUSES_S
        while not self._closing.is_set():
            try:
                await self._connect_and_stay()
                pause_s = PAUSES_S[0]
            except (AMQPError, AMQPConnectorException, OSError, TimeoutError) as error:
                self._lost(_reason(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), pause_s)
                pause_s = min(pause_s * 2, longest_s)

    async def _connect_and_stay(self) -> None:
        """Until the connection is lost or the link closes. Raises what kept it from connecting."""
        lost: asyncio.Future[BaseException] = self._loop.create_future()
        connection = await self._connect()
        connection.add_on_close_callback(lambda _, error: resolve(lost, error))
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        self.server_version = str((connection.server_properties or {}).get("version", ""))
        self._connection, self.blocked, self.trouble = connection, "", ""
        self._attempted.set()
        log.info("queue_connected", url=self._shown, version=self.server_version)
        await self._until(lost)
        if lost.done():
            self._lost(_reason(lost.result()))
            return
        if connection.is_open:
            connection.close()
        await asyncio.wait({lost}, timeout=GRACE_S)
        self._lost("the queue is closed")

    async def _connect(self) -> AsyncioConnection:
        done: asyncio.Future[Any] = self._loop.create_future()

        def on_done(result: Any) -> None:
            if not done.done():
                done.set_result(result)
            elif isinstance(result, AsyncioConnection):
                result.close()  # too late, nobody waits for it

        workflow = AsyncioConnection.create_connection([self._parameters], on_done, custom_ioloop=self._loop)
        await asyncio.wait({done}, timeout=2 * CONNECT_S)  # pika gives up before; a closing link waits too
        if not done.done():
            done.cancel()
            with contextlib.suppress(AssertionError):  # what pika answers in the middle of a handshake
                workflow.abort()
            raise TimeoutError(f"no connection within {2 * CONNECT_S:g} s")
        result = done.result()
        if isinstance(result, AsyncioConnection):
            return result
        raise result

    async def _until(self, future: asyncio.Future[Any]) -> None:
        """Until it is done or the link closes."""
        closing: asyncio.Future[Any] = asyncio.ensure_future(self._closing.wait())
        await asyncio.wait({future, closing}, return_when=asyncio.FIRST_COMPLETED)
        closing.cancel()

    def _lost(self, why: str) -> None:
        if self._connection is not None:
            log.warning("queue_lost", url=self._shown, error=why)
        self._connection, self.trouble = None, why
        self._channels.clear()
        self._attempted.set()

    def _on_blocked(self, _connection: object, method: Any) -> None:
        self.blocked = str(method.method.reason)
        log.warning("queue_blocked", url=self._shown, reason=self.blocked)

    def _on_unblocked(self, _connection: object, _method: object) -> None:
        self.blocked = ""
        log.info("queue_unblocked", url=self._shown)


def _parameters(url: str) -> pika.URLParameters:
    parameters = pika.URLParameters(url)
    parameters.heartbeat = HEARTBEAT_S
    parameters.blocked_connection_timeout = BLOCKED_S
    parameters.socket_timeout = CONNECT_S
    parameters.stack_timeout = CONNECT_S
    parameters.connection_attempts = 1
    parameters.client_properties = {"connection_name": "recomesh"}
    return parameters


def _reason(error: BaseException | None) -> str:
    """The innermost thing that pika says."""
    while inner := getattr(error, "exceptions", None) or getattr(error, "exception", None):
        error = inner[-1] if isinstance(inner, (list, tuple)) else inner
    if text := getattr(error, "reply_text", ""):
        return f"{getattr(error, 'reply_code', '')} {text}".strip()
    return str(error) or type(error).__name__
