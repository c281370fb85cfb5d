"""A transport that sends what is written in one turn of the event loop at once.

uvicorn writes the head of an answer and its body one after the other, and uvloop hands each to the system: two calls,
two packets, and a client that is woken twice.
"""

from __future__ import annotations

import asyncio
from typing import Any


class JoinedWrites:
    """Everything of a transport but for `write`, which waits for the end of the turn, and what has to come after it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """Of the transport itself."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """See asyncio.WriteTransport."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def write_now(self, data: bytes) -> None:
        """Sends what was written, and this."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """See asyncio.WriteTransport: what was written is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._transport.is_closing():  # else nobody reads it any more
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
