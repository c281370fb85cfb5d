"""https in front of a plain HTTP server of the same process, for servers that speak no TLS (waitress)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from meshkit.security.tls import TlsFiles
from meshkit.web.wsgi import StartResponse, WsgiApp

log = structlog.get_logger()
FOLLOW_S = 1.0
CHUNK_BYTES = 64 * 1024
HANDSHAKE_S = 5.0


async def follow_certificate(files: TlsFiles, context: ssl.SSLContext) -> None:
    """Loads changed files into a context that serves, until cancelled; the next handshake shows the new certificate."""
    stamp = files.stamp()
    while True:
        await asyncio.sleep(FOLLOW_S)
        try:
            seen = files.stamp()
            if seen != stamp:
                context.load_cert_chain(files.certificate, files.key)
                log.info("certificate_renewed", file=str(files.certificate))
                stamp = seen
        except OSError as error:  # being replaced this very moment (ssl.SSLError is one too); look again
            log.warning("certificate_not_read", file=str(files.certificate), trouble=type(error).__name__)


class Peers:
    """Addresses of the clients behind connections to the inner server, by the port from which it sees them come."""

    def __init__(self) -> None:
        self._by_port: dict[str, str] = {}

    def named(self, app: WsgiApp) -> WsgiApp:
        """The application with the client's own address as REMOTE_ADDR."""

        def wrapped(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            environ["REMOTE_ADDR"] = self._by_port.get(environ.get("REMOTE_PORT", ""), environ.get("REMOTE_ADDR", ""))
            return app(environ, start_response)

        return wrapped

    @contextlib.contextmanager
    def of(self, outside: asyncio.StreamWriter, inside: asyncio.StreamWriter) -> Iterator[None]:
        """While a connection is passed on."""
        port = str(inside.get_extra_info("sockname")[1])
        self._by_port[port] = outside.get_extra_info("peername")[0]
        try:
            yield
        finally:
            del self._by_port[port]


@asynccontextmanager
async def tls_front(
    files: TlsFiles, listener: socket.socket, inner: tuple[str, int], peers: Peers
) -> AsyncIterator[None]:
    """Accepts https on `listener` and passes the bytes on to the plain server at `inner`; `peers` tells it for whom.

    On exit it accepts nothing more and gives open connections what the inner server still answers.
    """
    context = files.server_context()
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await _pass(reader, writer, inner, peers)
        finally:
            running.discard(task)

    server = await asyncio.start_server(connected, sock=listener, ssl=context, ssl_handshake_timeout=HANDSHAKE_S)
    following = asyncio.create_task(follow_certificate(files, context))
    try:
        yield
    finally:
        following.cancel()
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inner: tuple[str, int], peers: Peers
) -> None:
    try:
        back, forth = await asyncio.open_connection(*inner)
    except OSError:
        writer.close()
        return
    try:
        with peers.of(writer, forth):
            await asyncio.gather(_pump(reader, forth), _pump(back, writer))
    finally:
        for end in (forth, writer):
            end.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Bytes until the end of `source`; a connection that breaks is an end too."""
    with contextlib.suppress(OSError, ssl.SSLError):
        while chunk := await source.read(CHUNK_BYTES):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if target.can_write_eof():
            target.write_eof()
        else:
            target.close()
