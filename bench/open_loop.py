"""An open-loop HTTP/1.1 client: requests leave at a constant rate, whatever the server does.

Latency counts from the moment a request was due, so a stall of the server is charged to every request it delays (no
coordinated omission; Gil Tene, "How NOT to Measure Latency", 2013). Runs are bounded in time and number.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

from hdrh.histogram import HdrHistogram

TICK_S = 0.001
MOST_US = 60_000_000
_DEGRADED = b"\r\nrecomesh-degraded:"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
MOST_HEAD = 1_024  # bytes of an answer that are its head
LATE_S = 5.0  # how long stragglers may take after the last request was due


@dataclass(frozen=True, slots=True)
class Request:
    """A request as bytes, ready to send."""

    raw: bytes

    @classmethod
    def get(cls, path: str) -> Request:
        """GET over a kept connection."""
        return cls(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())

    def with_key(self, key: str) -> Request:
        """The same with an API key."""
        return Request(self.raw.replace(b"Host: bench\r\n", f"Host: bench\r\nX-API-Key: {key}\r\n".encode(), 1))

    @classmethod
    def post(cls, path: str, body: bytes) -> Request:
        """POST of JSON over a kept connection."""
        fields = f"Host: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        head = f"POST {path} HTTP/1.1\r\n{fields}\r\n"
        return cls(head.encode() + body)


@dataclass(slots=True)
class LoadResult:
    """What one run saw. Latencies in milliseconds from the due time; `statuses` counts answers by status.

    `client_cpu_s` is what this client itself took of the processors that it shares with the server in `lasted_s`, from
    the first request to the last answer; `fresh_us` has the latencies of good answers that are not marked as degraded.
    """

    offered_rps: float
    seconds: float
    sent: int = 0
    answered: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0
    client_cpu_s: float = 0.0
    lasted_s: float = 0.0
    took_us: list[int] = field(default_factory=list)
    fresh_us: list[int] = field(default_factory=list)
    _histogram: HdrHistogram | None = None

    @property
    def histogram(self) -> HdrHistogram:
        """Of the latencies in microseconds, 3 digits, up to a minute; filled when first asked for, after the run."""
        if self._histogram is None:
            self._histogram = HdrHistogram(1, MOST_US, 3)
            for took in self.took_us:
                self._histogram.record_value(max(1, min(took, MOST_US)))
        return self._histogram

    @property
    def achieved_rps(self) -> float:
        """Good answers (2xx, 304) for each second of the run."""
        return sum(n for status, n in self.statuses.items() if 200 <= status < 400) / self.seconds

    def goodput_rps(self, within_ms: float) -> float:
        """Good answers that are not degraded and came in time, for each second of the run."""
        return sum(took <= within_ms * 1000 for took in self.fresh_us) / self.seconds

    @property
    def errors(self) -> int:
        """Requests without a good answer."""
        return self.sent - sum(n for status, n in self.statuses.items() if 200 <= status < 400)

    def tell(self, status: int, due: float, *, degraded: bool = False) -> None:
        """Counts an answer that came now to a request that was due at `due` (perf_counter)."""
        took_us = int((time.perf_counter() - due) * 1_000_000)
        self.took_us.append(took_us)
        if 200 <= status < 400 and not degraded:
            self.fresh_us.append(took_us)
        self.answered += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def percentile_ms(self, percent: float) -> float:
        """Latency at a percentile."""
        return float(self.histogram.get_value_at_percentile(percent)) / 1000


class _Connection(asyncio.Protocol):
    """One request at a time. Reads only what is needed of an answer, its status and where it ends,
    so that little of the machine is taken from the server."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._due = 0.0
        self._received = b""
        self._wanted = 0  # bytes of the answer, 0 while its head is not complete
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class
        self._load.free.append(self)

    def send(self, request: Request, due: float) -> None:
        assert self.transport is not None
        self._due = due
        self.transport.write(request.raw)

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        if not self._wanted:
            self._wanted = answer_size(data)
        if not self._wanted or len(data) < self._wanted:
            self._received = data
            return
        self._received, self._wanted = b"", 0
        degraded = data.find(_DEGRADED, 0, MOST_HEAD) >= 0
        self._load.answered(self, int(data[9:12]), self._due, degraded)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)


def answer_size(data: bytes) -> int:
    """Bytes of the HTTP/1.1 answer that `data` begins with; 0 while its head is not complete.

    ValueError for one whose length is not told: the servers that are measured always tell it.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    if data[9:12] in (b"204", b"304"):
        return end + 4
    found = _LENGTH.search(data, 0, end + 2)
    if found is None:
        raise ValueError(f"an answer without content-length: {data[:end]!r}")
    return end + 4 + int(found[1])


class _Load:
    def __init__(self, requests: Iterator[Request], result: LoadResult) -> None:
        self._requests = requests
        self.result = result
        self.free: deque[_Connection] = deque()
        self._waiting: deque[tuple[Request, float]] = deque()
        self._open = 0

    @property
    def done(self) -> bool:
        return not self._waiting and not self._open

    def offer(self, due: float) -> None:
        self.result.sent += 1
        request = next(self._requests)
        if self.free:
            self._open += 1
            self.free.popleft().send(request, due)
        else:
            self._waiting.append((request, due))

    def answered(self, connection: _Connection, status: int, due: float, degraded: bool) -> None:
        self.result.tell(status, due, degraded=degraded)
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._open -= 1
            self.free.append(connection)

    def lost(self, connection: _Connection) -> None:
        if connection in self.free:
            self.free.remove(connection)
        else:
            self._open -= 1
            self.result.broken += 1


async def load(
    host: str, port: int, requests: Iterator[Request], *, rate: float, seconds: float, connections: int = 256
) -> LoadResult:
    """Offers `rate` requests a second for `seconds`, then waits at most LATE_S for stragglers.

    All of them are made before the first is due. What finds no free connection waits for one, and that counts: with
    64, answers that take 10 ms could not be more than 6,400 a second, however fast they were made.
    """
    result, total = LoadResult(rate, seconds), int(rate * seconds)
    run = _Load(iter(list(islice(requests, total))), result)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run), host, port)
    started, used = time.perf_counter(), time.process_time()
    while result.sent < total:
        now = time.perf_counter()
        for number in range(result.sent, min(total, int((now - started) * rate))):
            run.offer(started + number / rate)
        await asyncio.sleep(TICK_S)
    give_up = time.perf_counter() + LATE_S
    while not run.done and time.perf_counter() < give_up:  # noqa: ASYNC110  (bounded wait for stragglers)
        await asyncio.sleep(TICK_S)
    result.client_cpu_s, result.lasted_s = time.process_time() - used, time.perf_counter() - started
    for connection in list(run.free):
        if connection.transport is not None:
            connection.transport.close()
    return result
