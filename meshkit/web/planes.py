"""HTTP planes inside a process: ASGI on the event loop (uvicorn), WSGI in threads (waitress)."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, cast

import uvicorn
import waitress.server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError

from meshkit.errors import SettingsInvalid
from meshkit.security.tls import TlsFiles
from meshkit.web.tls_front import Peers, follow_certificate, tls_front


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. SettingsInvalid if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsInvalid(
            f"address {host}:{port} is not to be had ({error.strerror}); stop what holds it or choose another port"
        ) from None
    listener.listen(2048)
    listener.set_inheritable(False)
    return listener


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers: the process decides when to stop."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leaves signals alone."""
        return nullcontext()


@asynccontextmanager
async def serve_asgi(
    app: Any,
    host: str,
    port: int,
    *,
    drain_s: float = 15.0,
    tls: TlsFiles | None = None,
    protocol: Callable[..., asyncio.Protocol] | None = None,
) -> AsyncIterator[None]:
    """Serves an ASGI application while the context is open; on exit it finishes running requests.

    With `tls` it speaks https; a changed certificate is shown to the next connection. `protocol` makes what reads a
    connection in place of uvicorn's own, with its arguments.
    """
    config = uvicorn.Config(
        app,
        http=cast(Any, protocol or "auto"),
        log_config=None,
        access_log=False,
        proxy_headers=False,  # uvicorn would believe any X-Forwarded-For from this machine
        lifespan="off",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=max(1, int(drain_s)),
    )
    server = _Uvicorn(config)
    following = None
    if tls is not None:
        config.load()
        config.ssl = tls.server_context()
        following = asyncio.create_task(follow_certificate(tls, config.ssl))
    task = asyncio.create_task(server.serve(sockets=[bind(host, port)]))
    while not server.started and not task.done():  # noqa: ASYNC110  (uvicorn offers no event)
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await task
        if following is not None:
            following.cancel()


@asynccontextmanager
async def serve_wsgi(
    app: Any, host: str, port: int, *, threads: int = 4, drain_s: float = 15.0, tls: TlsFiles | None = None
) -> AsyncIterator[None]:
    """Serves a WSGI application in threads while the context is open; on exit it finishes running requests.

    With `tls` it speaks https: waitress itself can not, so it listens on a loopback port of the system's choice behind
    a TLS front in this process.
    """
    listener = bind(host, port)
    inner = listener if tls is None else bind("127.0.0.1", 0)
    peers = Peers()
    server: Any = waitress.server.create_server(
        app if tls is None else peers.named(app),
        sockets=[inner],
        threads=threads,
        ident=None,
        max_request_body_size=16 * 1024 * 1024,
        url_scheme="http" if tls is None else "https",
    )
    server.channel_class = _StrictChannel
    stop = threading.Event()
    thread = threading.Thread(target=_run_waitress, args=(server, stop, drain_s), name=f"wsgi-{port}", daemon=True)
    thread.start()
    try:
        async with nullcontext() if tls is None else tls_front(tls, listener, inner.getsockname()[:2], peers):
            yield
    finally:
        stop.set()
        server.pull_trigger()
        await asyncio.to_thread(thread.join)


class _StrictParser(HTTPRequestParser):
    """Refuses a request that gives its length in two ways; waitress would believe one and keep the connection."""

    def parse_header(self, header_plus: bytes) -> None:
        """See waitress."""
        super().parse_header(header_plus)
        if self.chunked and re.search(rb"^content-length:", header_plus, re.IGNORECASE | re.MULTILINE):
            raise ParsingError("Content-Length beside Transfer-Encoding")


class _StrictChannel(HTTPChannel):
    parser_class = _StrictParser


def _run_waitress(server: Any, stop: threading.Event, drain_s: float) -> None:
    """waitress' own loop has no way to end: closing its sockets from outside raises in the middle of it."""
    channels = server._map
    while not stop.is_set():
        server.asyncore.loop(timeout=1.0, map=channels, count=1)
    server.accepting = False
    deadline = time.monotonic() + drain_s
    while time.monotonic() < deadline and any(map(_is_busy, list(channels.values()))):
        server.asyncore.loop(timeout=0.02, map=channels, count=1)
    server.task_dispatcher.shutdown(timeout=1)
    server.asyncore.close_all(channels, ignore_all=True)


def _is_busy(channel: Any) -> bool:
    """A connection with a request at work or an answer on its way."""
    return bool(getattr(channel, "requests", None) or getattr(channel, "total_outbufs_len", 0))
