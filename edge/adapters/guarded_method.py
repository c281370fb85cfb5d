"""One method of a service, guarded: circuit breaker, time for each attempt, retries within a budget, replicas."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import grpc.aio
from prometheus_client import Counter, Gauge

from edge.adapters.replica_set import Replica, ReplicaSet
from edge.domain.ports import upstream_failed
from meshkit import context
from meshkit.errors import CircuitOpen, DeadlineExceeded, NotFound, RecomeshError, Unavailable
from meshkit.resilience.breaker import BreakerPolicy, CircuitBreaker, CircuitState, Permit
from meshkit.resilience.retry_budget import RetryBudget
from meshkit.rpc.client import UnaryCall, call

Response = TypeVar("Response")
CALLS = Counter("recomesh_edge_calls_total", "Calls to a service, by how they ended", ["part", "method", "outcome"])
ATTEMPTS = Counter("recomesh_edge_attempts_total", "Attempts of calls, retries included", ["part", "method"])
CIRCUIT = Gauge("recomesh_edge_circuit", "0 closed, 1 half open, 2 open", ["part", "method"])
_LEVELS = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}
SLOW_SHARE = 0.75  # of a method's patience: a call that takes longer counts as slow
BACKOFF_S = (0.01, 0.03)
ATTEMPTS_MOST = 3
UNREADABLE = "UNREADABLE_ANSWER"


@dataclass(slots=True)
class Upstream:
    """A service as its gateway sees it: replicas, one budget for retries, and its methods for the status page."""

    replicas: ReplicaSet
    budget: RetryBudget = field(default_factory=RetryBudget)
    methods: list[GuardedMethod[Any]] = field(default_factory=list)

    def method(
        self,
        name: str,
        of_channel: Callable[[grpc.aio.Channel], UnaryCall[Response]],
        *,
        timeout_s: float,
        read: bool = True,
        remembered: bool = False,
    ) -> GuardedMethod[Response]:
        """A method by its name, with the patience of a whole call in seconds."""
        made = GuardedMethod(self, name, of_channel, timeout_s=timeout_s, read=read, remembered=remembered)
        self.methods.append(made)
        return made

    def status(self) -> list[dict[str, object]]:
        """Facts for people: the circuit to every method that was called."""
        return [method.status() for method in self.methods if method.used]


class GuardedMethod(Generic[Response]):
    """Calls one method within `timeout_s` and the time that the request has left.

    While another replica can be asked, an attempt may take half of what is left. `read`: it changes nothing, so that an
    attempt that came to nothing may be made again while the first may still be at work, and a probe of an open circuit
    runs in the background while its caller is told at once. `remembered`: each replica remembers its own, so what one
    does not find (NotFound) the others are asked for.
    """

    def __init__(
        self,
        upstream: Upstream,
        name: str,
        of_channel: Callable[[grpc.aio.Channel], UnaryCall[Response]],
        *,
        timeout_s: float,
        read: bool,
        remembered: bool = False,
    ) -> None:
        self._replicas = upstream.replicas
        self._budget = upstream.budget
        self._part = upstream.replicas.part
        self._name = name
        self._calls = {replica: of_channel(replica.channel) for replica in upstream.replicas.replicas}
        self._timeout_s = timeout_s
        self._read = read
        self._remembered = remembered
        self._probes: set[asyncio.Task[Response]] = set()
        self._breaker = CircuitBreaker(
            self._part, BreakerPolicy(slow_s=SLOW_SHARE * timeout_s), changed=self._circuit_changed
        )
        CIRCUIT.labels(self._part, name).set(0)
        self.used = False

    async def __call__(self, request: object) -> Response:
        """The answer. Raises an error of the tree; CircuitOpen at once while the service is given time."""
        self.used = True
        left_s = context.time_left_s()
        if left_s is not None and left_s <= 0:
            raise DeadlineExceeded(f"no time left to ask {self._part}")
        try:
            permit = self._breaker.admit()
        except CircuitOpen:
            self._count("refused")
            raise
        whole_s = self._timeout_s if left_s is None else min(left_s, self._timeout_s)
        if not (permit.probe and self._read):
            return await self._settled(permit, request, whole_s)
        probe = asyncio.get_running_loop().create_task(self._settled(permit, request, whole_s))
        self._probes.add(probe)
        probe.add_done_callback(self._probed)
        raise CircuitOpen(self._part, retry_after_s=1.0)

    def status(self) -> dict[str, object]:
        """Facts for people."""
        calls, failed, slow = self._breaker.counts
        return {
            "part": self._part,
            "method": self._name,
            "circuit": self._breaker.state.value,
            "calls": calls,
            "failed": failed,
            "slow": slow,
        }

    async def _settled(self, permit: Permit, request: object, whole_s: float) -> Response:
        try:
            answer = await self._attempts(request, whole_s)
        except RecomeshError as error:
            failed = upstream_failed(error)
            hurried = isinstance(error, DeadlineExceeded) and whole_s < SLOW_SHARE * self._timeout_s
            if failed and hurried:  # its caller had hardly any time: that says nothing about the service
                permit.release()
            else:
                permit.settle(failed=failed)
            self._count("failed" if failed else "refused_as_wrong")
            raise
        else:
            permit.settle(failed=False)
            self._count("ok")
            return answer
        finally:
            permit.release()  # of a call that was cancelled; a settled permit does not mind

    async def _attempts(self, request: object, whole_s: float) -> Response:
        loop = asyncio.get_running_loop()
        ends = loop.time() + whole_s
        self._budget.earn()
        tried: list[Replica] = []
        while True:
            replica = self._replicas.pick(tried)
            tried.append(replica)
            left_s = ends - loop.time()
            patience_s = left_s / 2 if self._may_hurry(tried) else left_s
            try:
                return await self._attempt(replica, request, patience_s)
            except RecomeshError as error:
                if self._remembered and isinstance(error, NotFound) and self._replicas.has_other(tried):
                    continue
                wait_s = 0.0 if self._replicas.has_other(tried) else random.uniform(*BACKOFF_S)
                left_s = ends - loop.time() - wait_s
                if len(tried) >= ATTEMPTS_MOST or left_s <= 0 or not self._again(error) or not self._budget.spend():
                    raise
                await asyncio.sleep(wait_s)

    def _may_hurry(self, tried: list[Replica]) -> bool:
        return self._read and len(tried) < ATTEMPTS_MOST and self._budget.allows and self._replicas.has_other(tried)

    def _again(self, error: RecomeshError) -> bool:
        """The service itself was not reached, or (for a read) did not answer; not when a part behind it is away."""
        if isinstance(error, Unavailable):
            return error.part == self._part
        return self._read and (isinstance(error, DeadlineExceeded) or error.reason == UNREADABLE)

    async def _attempt(self, replica: Replica, request: object, patience_s: float) -> Response:
        ATTEMPTS.labels(self._part, self._name).inc()
        replica.in_flight += 1
        try:
            answer = await call(self._calls[replica], request, part=self._part, timeout_s=patience_s)
            if answer is None:  # what gRPC makes of bytes that are no such message
                raise RecomeshError(f"{self._part} answered what can not be read", reason=UNREADABLE)
        except RecomeshError as error:
            self._blame(replica, error)
            raise
        finally:
            replica.in_flight -= 1
        self._replicas.answered(replica)
        return answer

    def _blame(self, replica: Replica, error: RecomeshError) -> None:
        if not upstream_failed(error) or (isinstance(error, Unavailable) and error.part != self._part):
            self._replicas.answered(replica)
        else:
            self._replicas.failed(replica)

    def _probed(self, probe: asyncio.Task[Response]) -> None:
        self._probes.discard(probe)
        if not probe.cancelled():
            probe.exception()  # seen: the breaker knows already

    def _circuit_changed(self, state: CircuitState) -> None:
        CIRCUIT.labels(self._part, self._name).set(_LEVELS[state])

    def _count(self, outcome: str) -> None:
        CALLS.labels(self._part, self._name, outcome).inc()
