"""Refusing requests of an HTTP plane before they are read in full: what can be said about them is the same for all.

A refusal through ASGI takes uvicorn a request, a task and an answer in parts, 47 µs; this one takes 16, of which 9 are
the system's for a read and a write. At three times the load that a process bears it is what decides how much of its
best it still does.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from meshkit.errors import Overloaded
from meshkit.web.asgi import QUIET_PATHS, SECURITY_HEADERS
from meshkit.web.joined_writes import JoinedWrites
from meshkit.web.problem import MEDIA_TYPE, problem
from meshkit.web.shedding import ADMITTED, SheddingMiddleware


class SheddingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which answers a whole request with a ready refusal while `shedding` is full.

    Whatever is out of the ordinary (a request in pieces, several at once, one sent before the last was answered, one
    that is not to be kept alive) goes the usual way, to the middleware, which refuses it as well.
    """

    def __init__(self, shedding: SheddingMiddleware, **given: Any) -> None:
        super().__init__(**given)
        self._shedding = shedding
        self._between = True  # no byte of a request came that is not whole yet
        self._refused_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See uvicorn."""
        self._writes = JoinedWrites(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self._writes))

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        if not (self._shedding.full and self._idle() and self._refused(data)):
            super().data_received(data)

    def on_message_begin(self) -> None:
        """See uvicorn."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """See uvicorn. The place is taken here: a task begins only after all that came at once was read."""
        if self._answered() and not (self._shedding.full or self.parser.should_upgrade()):
            path = _path(self.url)
            if path not in QUIET_PATHS and self._shedding.enter(path):
                scope: Any = self.scope
                scope[ADMITTED] = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """See uvicorn."""
        self._between = True
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """See uvicorn. A refusal does not start the clock anew, which would cost as much as the rest of it."""
        quiet_s = self.loop.time() - self._refused_at
        if quiet_s < self.timeout_keep_alive:
            self._await_more(self.timeout_keep_alive - quiet_s)
        else:
            super().timeout_keep_alive_handler()

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _idle(self) -> bool:
        return self._between and self._answered() and not self.flow.write_paused and not self.transport.is_closing()

    def _refused(self, data: bytes) -> bool:
        url = _whole.url_of(data)
        if url is None:
            return False
        path = _path(url)
        if path in QUIET_PATHS or self._shedding.enter(path):
            return False
        self._writes.write_now(_REFUSAL)
        self._refused_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._await_more(self.timeout_keep_alive)
        return True

    def _await_more(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)


class _Whole:
    """Reads requests with the parser that uvicorn reads them with, and tells nothing of them but the URL."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._begun, self._usual = b"", 0, False

    def url_of(self, data: bytes) -> bytes | None:
        """The URL if the data is one whole request, answered with a body on a connection that stays open; else None."""
        self._url, self._begun, self._usual = b"", 0, False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._usual = False
        if self._begun == 1 and self._usual:
            return self._url
        self._parser = httptools.HttpRequestParser(self)
        return None

    def on_message_begin(self) -> None:
        """Of the parser."""
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        """Of the parser."""
        self._url += url

    def on_message_complete(self) -> None:
        """Of the parser."""
        self._usual = self._parser.should_keep_alive() and self._parser.get_method() != b"HEAD"


_whole = _Whole()


def _path(url: bytes) -> str:
    return url.partition(b"?")[0].decode("latin-1")


def _refusal() -> bytes:
    status, body, headers = problem(Overloaded())
    content = orjson.dumps(body)
    fields = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        (b"cache-control", b"no-store"),
        *SECURITY_HEADERS,
    ]
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"HTTP/1.1 %d Service Unavailable\r\n%b\r\n%b" % (status, lines, content)


_REFUSAL = _refusal()
