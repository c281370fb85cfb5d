"""A gRPC server with everything a service of the mesh has: health, reflection, channelz, the interceptor, drain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from meshkit.errors import SettingsInvalid
from meshkit.health import Health
from meshkit.resilience.admission import Admission
from meshkit.rpc.interceptor import CallInterceptor
from meshkit.security.rpc_guard import RpcGuard
from meshkit.security.tls import TlsFiles, server_credentials

MAX_MESSAGE_BYTES = 16 * 1024 * 1024


async def start_server(
    address: str,
    *,
    register: Callable[[grpc.aio.Server], None],
    services: Sequence[str],
    health: Health,
    guard: RpcGuard,
    tls: TlsFiles | None = None,
    admission: Admission | None = None,
) -> grpc.aio.Server:
    """Binds `address` and serves. SettingsInvalid if the port is taken (two servers never share one silently).

    `register` adds the servicers; `services` are their full names, for reflection. `guard` admits calls. With
    `tls` every client must show a certificate of the mesh; the files are read again when they change. `admission`
    limits how many calls are worked on at once; a server without one has its own.
    """
    admission = admission or Admission()
    admission.start()
    options: list[tuple[str, Any]] = [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", 2 * MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
    server = grpc.aio.server(interceptors=[CallInterceptor(guard, admission)], options=options)
    register(server)
    health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
    channelz.add_channelz_servicer(server)
    names = [*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, "grpc.channelz.v1.Channelz"]
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)
    try:
        if tls is None:
            bound = server.add_insecure_port(address)
        else:
            bound = server.add_secure_port(address, server_credentials(tls))
    except RuntimeError:
        bound = 0
    if not bound:
        raise SettingsInvalid(f"address {address} is taken; stop what holds it or choose another port")
    await server.start()
    await health.publish()
    return server
