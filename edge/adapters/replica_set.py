"""The addresses of one service: which to ask next, and which to leave alone because it does not answer.

gRPC's own balancer keeps sending to a process that is frozen: its connection stands, so `round_robin` finds nothing
wrong with it (docs/resilience has the measurement). Here each address has a channel of its own, a replica that fails
twice in a row or fails its health check is ejected, and it comes back when it says SERVING.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import Gauge

log = structlog.get_logger()
REPLICA_UP = Gauge("recomesh_edge_replica_up", "1 while a replica of a service is asked", ["part", "address"])
FAILURES_TO_EJECT = 2
CHECK_INTERVAL_S = 0.25
CHECK_PATIENCE_S = 0.4


@dataclass(eq=False, slots=True)
class Replica:
    """One address. `ejected`: it is asked only when no other is left."""

    address: str
    channel: grpc.aio.Channel
    ejected: bool = False
    in_flight: int = 0
    failures: int = 0
    turn: int = field(default=0, repr=False)


class ReplicaSet:
    """Replicas of `part`. With one address nothing is ever ejected: that is the breaker's business."""

    def __init__(self, part: str, addresses: Sequence[str], open_channel: Callable[[str], grpc.aio.Channel]) -> None:
        self.part = part
        self.replicas = [Replica(address, open_channel(address)) for address in addresses]
        self._turns = count(1)
        for replica in self.replicas:
            REPLICA_UP.labels(part, replica.address).set(1)

    def pick(self, tried: Collection[Replica] = ()) -> Replica:
        """The usable replica with the fewest calls under way, in turn; one that was `tried` only if no other is."""
        candidates = [r for r in self.replicas if r not in tried] or self.replicas
        usable = [r for r in candidates if not r.ejected] or candidates
        chosen = min(usable, key=lambda r: (r.in_flight, r.turn))
        chosen.turn = next(self._turns)
        return chosen

    def has_other(self, tried: Collection[Replica]) -> bool:
        """True if a replica is left that is usable and was not tried."""
        return any(not r.ejected and r not in tried for r in self.replicas)

    def answered(self, replica: Replica) -> None:
        """A replica answered a call, if only that the question was wrong. An ejected one waits for its health check."""
        replica.failures = 0

    def failed(self, replica: Replica) -> None:
        """A replica was away, too slow, or answered what can not be read."""
        replica.failures += 1
        if replica.failures >= FAILURES_TO_EJECT and len(self.replicas) > 1:
            self._set_ejected(replica, True)

    def status(self) -> list[dict[str, object]]:
        """Facts for people: part, address, state, calls under way."""
        return [
            {
                "part": self.part,
                "address": r.address,
                "state": "ejected" if r.ejected else "in use",
                "calls": r.in_flight,
            }
            for r in self.replicas
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Checks the health of every replica until `stop`, when there are several."""
        if len(self.replicas) > 1:
            await asyncio.gather(*(self._watch(replica, stop) for replica in self.replicas))

    async def close(self) -> None:
        """Closes the channels."""
        await asyncio.gather(*(replica.channel.close() for replica in self.replicas))

    async def _watch(self, replica: Replica, stop: asyncio.Event) -> None:
        stub: Any = health_pb2_grpc.HealthStub(replica.channel)  # its types know no asyncio
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), CHECK_INTERVAL_S)
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=CHECK_PATIENCE_S)
            except grpc.RpcError:
                self.failed(replica)
                continue
            if answer is not None and answer.status == health_pb2.HealthCheckResponse.SERVING:
                self._set_ejected(replica, False)
            else:  # it says itself that it can not serve, or answers nonsense: no second failure is needed
                self._set_ejected(replica, True)

    def _set_ejected(self, replica: Replica, ejected: bool) -> None:
        if replica.ejected is not ejected:
            replica.ejected = ejected
            (log.warning if ejected else log.info)(
                "replica_ejected" if ejected else "replica_back", part=self.part, address=replica.address
            )
            REPLICA_UP.labels(self.part, replica.address).set(not ejected)
        if not ejected:
            replica.failures = 0
