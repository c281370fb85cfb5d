"""An open-loop gRPC client: calls leave at a constant rate; see bench.open_loop for how latency is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import grpc
import grpc.aio

from bench.open_loop import LATE_S, TICK_S, LoadResult

OK = 200  # a good answer in LoadResult.statuses; gRPC codes are counted as 1000 and the code


async def grpc_load(
    targets: Sequence[str], method: str, messages: Iterator[bytes], *, rate: float, seconds: float, channels: int = 2
) -> LoadResult:
    """Offers `rate` calls of `method` ("/package.Service/Method") a second, each with the next serialised message, to
    the replicas at `targets` in turn, over `channels` connections to each."""
    result = LoadResult(rate, seconds)
    options = [("grpc.use_local_subchannel_pool", 1)]
    opened = [grpc.aio.insecure_channel(target, options) for _ in range(channels) for target in targets]
    calls = [channel.unary_unary(method) for channel in opened]
    waiting: set[asyncio.Task[None]] = set()
    for call in calls:
        await call(next(messages), wait_for_ready=True, timeout=30)

    async def one(number: int, due: float) -> None:
        try:
            await calls[number % len(calls)](next(messages), timeout=LATE_S)
            status = OK
        except grpc.aio.AioRpcError as error:
            status = 1000 + int(error.code().value[0])
        result.tell(status, due)

    began, used = time.perf_counter(), time.process_time()
    total = int(rate * seconds)
    while result.sent < total:
        now = time.perf_counter()
        for number in range(result.sent, min(total, int((now - began) * rate))):
            result.sent += 1
            task = asyncio.create_task(one(number, began + number / rate))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        await asyncio.sleep(TICK_S)
    if waiting:
        await asyncio.wait(waiting, timeout=LATE_S)
    result.client_cpu_s = time.process_time() - used
    for channel in opened:
        await channel.close()
    return result
