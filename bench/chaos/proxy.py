"""A small TCP proxy in front of a part, whose wire can be cut, frozen, slowed, or made to carry garbage."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, TypeVar

from bench.ports import free_ports

T = TypeVar("T")
CHUNK = 64 * 1024
DELAY_S = 2.0
GARBAGE_BYTES = 512


class Wire(StrEnum):
    """What the wire does: carry bytes, refuse, hold them for ever, delay answers by 2 s, answer random bytes."""

    FINE = "fine"
    CUT = "cut"
    FROZEN = "frozen"
    SLOW = "slow"
    GARBAGE = "garbage"


class FaultProxy:
    """Listens on `port` and passes on to `target_port` of loopback. `set` takes effect on open connections too."""

    def __init__(self, target_port: int, *, seed: int = 7) -> None:
        (self.port,) = free_ports(1)
        self._target_port = target_port
        self._wire = Wire.FINE
        self._random = random.Random(seed)
        self._flows = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Binds and serves."""
        self._flows.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Drops every connection and stops listening."""
        await self.set(Wire.CUT)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def set(self, wire: Wire) -> None:
        """Changes the wire. After CUT and GARBAGE open connections are gone, as after a crash."""
        before, self._wire = self._wire, wire
        if wire is Wire.FROZEN:
            self._flows.clear()
        else:
            self._flows.set()
        if wire is Wire.CUT or before is Wire.GARBAGE:
            for writer in list(self._writers):
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._wire is Wire.CUT:
                return
            await self._flows.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(back)
            try:
                asked = asyncio.create_task(self._carry(reader, back, answers=False))
                await self._carry(there, writer, answers=True)
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except OSError:
            return  # the part is down: the caller sees its connection close
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                await self._flows.wait()
                if answers and self._wire is Wire.SLOW:
                    await asyncio.sleep(DELAY_S)
                if answers and self._wire is Wire.GARBAGE:
                    data = self._random.randbytes(GARBAGE_BYTES)
                sink.write(data)
                await sink.drain()


class ProxyThread:
    """Proxies on an event loop of their own, so that the load generator's loop does not slow them down."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._proxies: list[FaultProxy] = []

    def open(self, target_port: int) -> FaultProxy:
        """A proxy that listens already."""

        async def made() -> FaultProxy:
            proxy = FaultProxy(target_port)
            await proxy.start()
            return proxy

        proxy = self._run(made())
        self._proxies.append(proxy)
        return proxy

    def set(self, proxy: FaultProxy, wire: Wire) -> None:
        """Changes a proxy's wire and waits until it holds."""
        self._run(proxy.set(wire))

    def close(self) -> None:
        """Stops every proxy and the loop."""
        for proxy in self._proxies:
            self._run(proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
