"""What is ready and what is not, said alike over gRPC health, `/readyz` and `recomesh status`."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from grpc_health.v1 import health, health_pb2

log = structlog.get_logger()


class Health:
    """Readiness of a process: ready when none of its needed parts reports trouble.

    Every part starts as "starting". `services` are the full gRPC service names answered by the health service; "" is
    answered too.
    """

    def __init__(self, parts: Iterable[str], services: Iterable[str] = ()) -> None:
        self._trouble: dict[str, str] = dict.fromkeys(parts, "starting")
        self._services = ["", *services]
        self.servicer = health.aio.HealthServicer()

    @property
    def ready(self) -> bool:
        """True when every part is."""
        return not any(self._trouble.values())

    def report(self) -> dict[str, str]:
        """Part → "ok" or its trouble."""
        return {part: trouble or "ok" for part, trouble in self._trouble.items()}

    async def set(self, part: str, trouble: str = "") -> None:
        """A part is fine (empty) or in trouble. A change of readiness is logged and sent to health watchers."""
        was = self.ready
        if self._trouble.get(part) != trouble:
            self._trouble[part] = trouble
            (log.warning if trouble and trouble != "starting" else log.debug)(
                "part", part=part, trouble=trouble or "ok"
            )
        if was != self.ready:
            log.info("ready" if self.ready else "not_ready", **self.report())
        await self.publish()

    async def publish(self) -> None:
        """Tells gRPC health watchers the state."""
        serving = health_pb2.HealthCheckResponse.SERVING if self.ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in self._services:
            await self.servicer.set(service, serving)

    async def stopping(self) -> None:
        """Says NOT_SERVING for good, so that balancers stop sending."""
        self._trouble = dict.fromkeys(self._trouble, "stopping")
        await self.servicer.enter_graceful_shutdown()
