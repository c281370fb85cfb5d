"""A channel that is opened anew when the certificate files of its process change.

gRPC's Python API reads a client certificate once, when a channel is made. A short-lived one would end while the channel
lives: reconnecting would fail. So stubs get methods that look, at most once a second, whether the files changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog

from meshkit.security.tls import TlsFiles

log = structlog.get_logger()
LOOK_EVERY_S = 1.0


class RenewingChannel:
    """Stands in for the `grpc.aio.Channel` or `grpc.Channel` that `open` makes."""

    def __init__(self, open: Callable[[], Any], files: TlsFiles, clock: Callable[[], float] = time.monotonic) -> None:
        self._open = open
        self._files = files
        self._clock = clock
        self._stamp = files.stamp()
        self._looked_at = clock()
        self._channel = open()
        self._older: list[Any] = []  # calls may still be under way on them; closed with the rest

    def current(self) -> Any:
        """The channel with the certificate as it is now. Calls under way go on over the one before."""
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._renew()
        return self._channel

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        return _Method(self, "unary_unary", method, arguments, options)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        return _Method(self, "unary_stream", method, arguments, options)

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        return _Method(self, "stream_unary", method, arguments, options)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """See grpc.Channel."""
        return _Method(self, "stream_stream", method, arguments, options)

    def close(self, grace: float | None = None) -> Any:
        """Closes; to be awaited if the channel is an asyncio one."""
        closings = [channel.close() for channel in (*self._older, self._channel)]
        return _all(closings) if hasattr(closings[-1], "__await__") else None

    async def __aenter__(self) -> RenewingChannel:
        """Opens nothing: the channel connects when first used."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __enter__(self) -> RenewingChannel:
        """Opens nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _renew(self) -> None:
        try:
            stamp = self._files.stamp()
            if stamp == self._stamp:
                return
            made = self._open()
        except OSError:  # being replaced this very moment; the next call looks again
            return
        log.info("certificate_renewed", file=str(self._files.certificate))
        self._older.append(self._channel)
        self._channel, self._stamp = made, stamp


class _Method:
    """A method of a stub; bound anew when the channel was."""

    def __init__(
        self, owner: RenewingChannel, kind: str, method: str, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self._owner = owner
        self._kind = kind
        self._method = method.encode()  # where `client.call` looks for the name
        self._arguments = (method, *arguments)
        self._options = options
        self._bound_to: Any = None
        self._bound: Any = None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Sends the request."""
        return self._bind()(*arguments, **options)

    def future(self, *arguments: Any, **options: Any) -> Any:
        """Sends the request of a blocking channel and returns at once."""
        return self._bind().future(*arguments, **options)

    def _bind(self) -> Any:
        channel = self._owner.current()
        if channel is not self._bound_to:
            self._bound = getattr(channel, self._kind)(*self._arguments, **self._options)
            self._bound_to = channel
        return self._bound


async def _all(closings: list[Any]) -> None:
    for closing in closings:
        await closing
