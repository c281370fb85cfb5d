"""The load generator against a server that stalls: no coordinated omission."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

from bench.open_loop import Request, load
from bench.ports import free_ports

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def test_a_stall_is_charged_to_every_request_that_it_delays() -> None:
    (port,) = free_ports(1)
    stall_s, rate, seconds = 0.5, 200.0, 1.5
    begun: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                begun.append(loop.time())
                if begun[0] + 0.5 <= loop.time() < begun[0] + 0.5 + stall_s:
                    await asyncio.sleep(begun[0] + 0.5 + stall_s - loop.time())
                writer.write(ANSWER)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        result = await load(
            "127.0.0.1", port, itertools.repeat(Request.get("/")), rate=rate, seconds=seconds, connections=4
        )
        await asyncio.sleep(0.1)
    assert result.sent == result.answered == rate * seconds
    assert result.errors == 0
    slow = sum(took > 50_000 for took in result.took_us)
    assert slow >= 0.8 * rate * stall_s  # not only the four that were on their way
    assert result.client_cpu_s < seconds
