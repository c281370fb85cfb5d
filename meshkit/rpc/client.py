"""Channels and calls. Every client of the mesh opens its channel and makes its calls here.

A channel loads retries from `proto/service_config.json`; a call passes on the request id and never waits longer than
the request has left, or than the file's deadline for its method. gRPC would apply those deadlines itself, but counts
them from a clock of its own that is more than a second off on some virtual machines (measured: -1.3 s with grpcio 1.85,
so that every call with a deadline of 1 s failed at once). So they are kept from it and passed with each call.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import grpc
import grpc.aio

from meshkit import context
from meshkit.errors import DeadlineExceeded
from meshkit.rpc.identity import PLAINTEXT, Identity
from meshkit.rpc.renewing_channel import RenewingChannel
from meshkit.rpc.status import from_rpc_error

MAX_MESSAGE_BYTES = 32 * 1024 * 1024
Response = TypeVar("Response", covariant=True)


class UnaryCall(Protocol[Response]):
    """A unary or client-streaming method of an aio stub."""

    def __call__(self, request: Any, /, *, timeout: float | None, metadata: Any) -> Awaitable[Response]:
        """Sends the request."""
        ...


def channel_options(service_config: Path, *, retries: bool = True) -> list[tuple[str, Any]]:
    """Options of every channel; see docs/resilience for the measurements behind them."""
    return [
        ("grpc.service_config", _without_deadlines(service_config)),
        ("grpc.enable_retries", int(retries)),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.http2.ping_timeout_ms", 500),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]


def open_channel(
    target: str, service_config: Path, identity: Identity = PLAINTEXT, *, retries: bool = True
) -> grpc.aio.Channel:
    """An asyncio channel; it connects when first used, reconnects by itself, and follows new certificate files.

    `retries` false: the caller retries by itself, within a budget.
    """
    _deadlines_s.update(deadlines_s(service_config))
    options = channel_options(service_config, retries=retries)
    if identity.files is None:
        return grpc.aio.insecure_channel(target, options=options)
    opened: Any = RenewingChannel(
        lambda: grpc.aio.secure_channel(target, identity.credentials(), options=options), identity.files
    )
    return cast(grpc.aio.Channel, opened)


def open_sync_channel(target: str, service_config: Path, identity: Identity = PLAINTEXT) -> grpc.Channel:
    """A blocking channel, for the CLI and for admin planes that run in threads."""
    _deadlines_s.update(deadlines_s(service_config))
    options = channel_options(service_config)
    if identity.files is None:
        return grpc.insecure_channel(target, options=options)
    opened: Any = RenewingChannel(
        lambda: grpc.secure_channel(target, identity.credentials(), options=options), identity.files
    )
    return cast(grpc.Channel, opened)


async def call(
    method: UnaryCall[Response], request: Any | AsyncIterator[Any], *, part: str, timeout_s: float | None = None
) -> Response:
    """One call within the time the request has left. `part` names the service in errors.

    Without `timeout_s` the service config's deadline for the method holds. Raises an error of the tree.
    """
    timeout_s = _patience_s(method, part, timeout_s)
    try:
        return await method(request, timeout=timeout_s, metadata=context.outgoing_metadata())
    except grpc.RpcError as error:
        raise from_rpc_error(error, part=part) from None


def call_sync(method: Any, request: Any, *, part: str, timeout_s: float | None = None) -> Any:
    """`call` for a blocking stub."""
    timeout_s = _patience_s(method, part, timeout_s)
    try:
        return method(request, timeout=timeout_s, metadata=context.outgoing_metadata())
    except grpc.RpcError as error:
        raise from_rpc_error(error, part=part) from None


@cache
def deadlines_s(service_config: Path) -> Mapping[str, float]:
    """Deadline in seconds by "/package.Service/Method", or by "/package.Service/" for all its methods."""
    found = {}
    for entry in json.loads(service_config.read_text())["methodConfig"]:
        for name in entry["name"]:
            if "timeout" in entry:
                found[f"/{name['service']}/{name.get('method', '')}"] = float(entry["timeout"].removesuffix("s"))
    return found


_deadlines_s: dict[str, float] = {}  # of every file a channel was opened with; they all describe the same methods


@cache
def _without_deadlines(service_config: Path) -> str:
    config = json.loads(service_config.read_text())
    for entry in config["methodConfig"]:
        entry.pop("timeout", None)
    return json.dumps(config)


def _patience_s(method: Any, part: str, timeout_s: float | None) -> float | None:
    if timeout_s is None:
        path = getattr(method, "_method", b"")  # gRPC offers no public name; without one there is no default
        name = path.decode() if isinstance(path, bytes) else str(path)
        timeout_s = _deadlines_s.get(name, _deadlines_s.get(name[: name.rfind("/") + 1]))
    left = context.time_left_s()
    if left is None:
        return timeout_s
    if left <= 0:
        raise DeadlineExceeded(f"no time left to ask {part}")
    return left if timeout_s is None else min(left, timeout_s)
