"""One line for each request, at ten thousand requests a second.

The structured logger costs about 50 µs a line, more than a cached answer. Access lines have a fixed set of fields, so
in JSON they are made by orjson and written together, at most `FLUSH_S` later; a terminal gets them through the
structured logger, in its colours.
"""

from __future__ import annotations

import asyncio
import atexit
import time
from typing import TextIO

import orjson
import structlog

FLUSH_S = 0.05
MOST_LINES = 500  # that wait
log = structlog.get_logger("access")


class AccessLog:
    """Access lines of one process. `stream` None: through the structured logger. Used on the event loop's thread."""

    def __init__(self, process: str = "", stream: TextIO | None = None, *, on: bool = True) -> None:
        self._on = on
        self._process = process
        self._stream = stream
        # Kept one by one, lines took twice as long: orjson found no room that was used before.
        self._lines, self._number = bytearray(), 0
        self._second, self._stamp = 0, ""
        atexit.register(self.flush)

    def line(
        self, request_id: str, method: str, path: str, status: int, ms: float, client: str, caller: str = ""
    ) -> None:
        """Writes the line of a request that was answered in `ms` milliseconds; `caller` "" is anonymous."""
        if not self._on:
            return
        fields = {"method": method, "path": path, "status": status, "ms": round(ms, 2), "client": client}
        if self._stream is None:
            log.info("request", **fields)
            return
        fields |= {"event": "request", "request_id": request_id, "level": "info", "timestamp": self._now()}
        fields["process"] = self._process
        if caller:
            fields["caller"] = caller
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        self._lines += orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
        self._number += 1
        if self._number >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        if self._stream is not None and self._lines:
            lines, self._lines, self._number = self._lines, bytearray(), 0
            self._stream.write(lines.decode())
            self._stream.flush()

    def _now(self) -> str:
        """RFC 3339 in UTC with microseconds; the text of a second is made once."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{int((now - second) * 1e6):06d}Z"
