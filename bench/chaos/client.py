"""An open-loop client that writes down every request. It opens connections as it needs them and never retries."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop

from bench.chaos.ledger import Entry, Ledger
from bench.open_loop import Request

PATIENCE_S = 8.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a kind ("read", "personal", "event"); `event_id` is what a 202 acknowledges."""

    kind: str
    request: Request
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    degraded: bool


class _Connection(asyncio.Protocol):
    """One request at a time over a kept connection."""

    def __init__(self, free: list[_Connection]) -> None:
        self._free = free
        self._answer: asyncio.Future[_Answer] | None = None
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, request: Request) -> asyncio.Future[_Answer]:
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request.raw)
        return self._answer

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        answer = _Answer(self._parser.get_status_code(), b'"degraded":true' in self._body)
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
            self._free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._free:
            self._free.remove(self)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(_Answer(0, False))

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class ChaosClient:
    """Offers `rate` requests a second from a thread of its own until it is stopped; `now` is the ledger's clock."""

    def __init__(self, port: int, requests: Callable[[], Asked], *, rate: float) -> None:
        self.ledger = Ledger()
        self._port = port
        self._requests = requests
        self._rate = rate
        self._began = time.perf_counter()
        self._stop = threading.Event()
        self._free: list[_Connection] = []
        self._thread = threading.Thread(target=lambda: uvloop.run(self._run()), name="client", daemon=True)

    def start(self) -> None:
        """Begins to offer."""
        self._began = time.perf_counter()
        self._thread.start()

    def now(self) -> float:
        """Seconds since the first request was due."""
        return time.perf_counter() - self._began

    def stop(self) -> Ledger:
        """No more requests; waits for those under way and returns what was written down."""
        self._stop.set()
        self._thread.join(PATIENCE_S + 5)
        return self.ledger

    async def _run(self) -> None:
        running: set[asyncio.Task[None]] = set()
        sent = 0
        while not self._stop.is_set():
            due_by_now = int(self.now() * self._rate) + 1
            for number in range(sent, due_by_now):
                task = asyncio.create_task(self._one(self._requests(), number / self._rate))
                running.add(task)
                task.add_done_callback(running.discard)
            sent = max(sent, due_by_now)
            await asyncio.sleep(max(0.0, sent / self._rate - self.now()))
        if running:
            await asyncio.wait(running, timeout=PATIENCE_S + 1)
        for connection in list(self._free):
            connection.close()

    async def _one(self, asked: Asked, due: float) -> None:
        sent = self.now()
        answer = _Answer(0, False)
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                connection = await self._connection()
                answer = await connection.ask(asked.request)
        except (OSError, TimeoutError):
            if connection is not None:
                connection.close()
        ended = self.now()
        self.ledger.entries.append(Entry(asked.kind, due, ended - due, ended - sent, answer.status, answer.degraded))
        if answer.status == 202 and asked.event_id:
            self.ledger.acknowledged.append(asked.event_id)

    async def _connection(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                return connection
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: _Connection(self._free), "127.0.0.1", self._port)
        return made
