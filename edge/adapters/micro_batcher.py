"""Requests that wait together share one call.

A gRPC call costs Python about 0.1 ms on each side; sharing it between the requests that arrive while an earlier call is
under way takes most of that away. While requests come so fast that a short wait gathers several, calls also begin some
milliseconds apart; a service that is asked little is asked at once.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import structlog

from edge.adapters.call_pace import CallPace
from edge.domain.ports import upstream_failed
from meshkit import context
from meshkit.errors import DeadlineExceeded, RecomeshError
from meshkit.security.caller import together

log = structlog.get_logger()
SETTLED_AT_ONCE = 8  # then the loop looks for news: who is refused shall not wait until 64 answers were written
Request = TypeVar("Request")
Result = TypeVar("Result")


class _Waiting(NamedTuple, Generic[Request, Result]):
    request: Request
    size: int
    result: asyncio.Future[Result]
    expires: float | None
    context: contextvars.Context


class MicroBatcher(Generic[Request, Result]):
    """At most `max_in_flight` calls to one service at a time; what comes meanwhile waits and shares the next.

    A call begins when `pace` allows it, or as soon as `max_batch` requests wait: two calls with three requests each
    cost both sides a good deal more than one with six.

    `send` answers one result or error per request, in order; an error in place of a result reaches its own request
    only. When a whole batch is refused, which one of its requests may have caused, each is sent alone. `size` counts
    what a request weighs against `max_size`. A request never waits longer than its own deadline, or `patience_s` from
    its beginning, the wait for its turn included; one that was given up or is too late is not sent. The call is made
    with the rights that all its callers have.
    """

    def __init__(
        self,
        part: str,
        send: Callable[[Sequence[Request]], Awaitable[Sequence[Result | RecomeshError]]],
        *,
        max_batch: int = 64,
        max_in_flight: int = 2,
        pace: CallPace | None = None,
        size: Callable[[Request], int] = lambda _: 1,
        max_size: int = 1000,
        patience_s: float = math.inf,
    ) -> None:
        self._part = part
        self._send = send
        self._max_batch = max_batch
        self._max_in_flight = max_in_flight
        self._pace = pace or CallPace()
        self._size = size
        self._max_size = max_size
        self._patience_s = patience_s
        self._waiting: deque[_Waiting[Request, Result]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Handle | None = None

    async def submit(self, request: Request) -> Result:
        """The result of one request. Raises its own error, or DeadlineExceeded when its time is up."""
        loop = asyncio.get_running_loop()
        left = min(self._patience_s, math.inf if (left := context.time_left_s()) is None else left)
        expires = None if left == math.inf else time.monotonic() + left
        result: asyncio.Future[Result] = loop.create_future()
        waiting = _Waiting(request, self._size(request), result, expires, contextvars.copy_context())
        self._waiting.append(waiting)
        self._pace.came()
        if self._starting is None:
            self._start_soon()
        elif len(self._waiting) == self._max_batch:
            self._starting.cancel()
            self._starting = loop.call_soon(self._start)
        if expires is None:
            return await result
        late = loop.call_later(left, _settle, waiting, DeadlineExceeded(f"{self._part} did not answer in time"))
        try:
            return await result
        finally:
            late.cancel()

    def _start_soon(self) -> None:
        if len(self._running) < self._max_in_flight:
            loop = asyncio.get_running_loop()
            wait_s = 0.0 if len(self._waiting) >= self._max_batch else self._pace.wait_s(loop.time())
            # without a wait, requests of this turn of the loop go together
            self._starting = loop.call_later(wait_s, self._start) if wait_s > 0 else loop.call_soon(self._start)

    def _start(self) -> None:
        self._starting = None
        loop = asyncio.get_running_loop()
        while len(self._running) < self._max_in_flight:
            batch = self._take()
            if not batch:
                return
            self._pace.began(loop.time())
            task = loop.create_task(self._run(batch), context=batch[0].context)
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _take(self) -> list[_Waiting[Request, Result]]:
        batch: list[_Waiting[Request, Result]] = []
        total = 0
        now = time.monotonic()
        while self._waiting and len(batch) < self._max_batch:
            first = self._waiting[0]
            if first.result.done() or (first.expires is not None and first.expires <= now):
                self._waiting.popleft()  # given up; its `submit` has told the caller, or is about to
                continue
            total += first.size
            if batch and total > self._max_size:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._waiting and self._starting is None:
            self._start_soon()

    async def _run(self, batch: list[_Waiting[Request, Result]]) -> None:
        try:
            await self._deliver(batch)
        except Exception as error:  # a waiting request must hear of any failure
            if not isinstance(error, RecomeshError):  # answers that do not fit their requests, above all
                log.error("batch_failed", part=self._part, exc_info=True)
                error = RecomeshError(f"{self._part} failed")
            for waiting in batch:
                _settle(waiting, error)
        finally:
            for waiting in batch:
                waiting.result.cancel()  # only when this task itself was cancelled: settled ones do not mind

    async def _deliver(self, batch: list[_Waiting[Request, Result]]) -> None:
        context.limit_time(_time_left(batch))
        context.act_for(together(context.caller_in(waiting.context) for waiting in batch))
        try:
            results = await self._send([waiting.request for waiting in batch])
        except RecomeshError as error:
            if len(batch) == 1 or upstream_failed(error):
                raise
            await asyncio.gather(*(self._run([waiting]) for waiting in batch))
            return
        for place, (waiting, result) in enumerate(zip(batch, results, strict=True), 1):
            _settle(waiting, result)
            if place % SETTLED_AT_ONCE == 0:
                await asyncio.sleep(0)


def _settle(waiting: _Waiting[Request, Result], result: Result | Exception) -> None:
    if waiting.result.done():
        return
    if isinstance(result, Exception):
        waiting.result.set_exception(result)
    else:
        waiting.result.set_result(result)


def _time_left(batch: Sequence[_Waiting[Request, Result]]) -> float | None:
    """The most patient request decides how long the call may take; the others give up by themselves."""
    latest = 0.0
    for waiting in batch:
        if waiting.expires is None:
            return None
        latest = max(latest, waiting.expires)
    return max(0.0, latest - time.monotonic())
