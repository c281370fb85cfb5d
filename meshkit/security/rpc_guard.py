"""The guard of a gRPC server: every call is held against the access table before its servicer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import structlog

from meshkit import context, metrics
from meshkit.errors import DeadlineExceeded, PermissionDenied, RecomeshError, Unauthenticated
from meshkit.process import blocking
from meshkit.security.access import rpc_row
from meshkit.security.caller import METADATA_KEY, Caller
from meshkit.security.gate import Gate, Peer
from meshkit.security.row import OPEN
from meshkit.security.rpc_audit import action_of, subject_of

log = structlog.get_logger()
_SAN = "x509_subject_alternative_name"


class Call(Protocol):
    """The part of a gRPC servicer context that tells who calls."""

    def peer(self) -> str:
        """Address."""
        ...

    def auth_context(self) -> Mapping[str, Any]:
        """What TLS proved."""
        ...


class RpcGuard:
    """Admits calls. What has no row in the access table is refused to everybody."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def admit(self, method: str, sent: Mapping[str, str], call: Call) -> Caller | None:
        """The caller, bound to the request; None where anybody may call. DeadlineExceeded, Unauthenticated,
        PermissionDenied, Unavailable.

        gRPC forgets the peer of a call whose deadline has passed; that is not a stranger without credentials.
        """
        row = rpc_row(method)
        if row is OPEN:
            return None
        address = call.peer()
        if not address:
            raise DeadlineExceeded("the deadline passed before the call was looked at")
        caller: Caller | None = None
        try:
            if row is None:
                raise PermissionDenied(f"{method} is not in the access table", reason="NOT_IN_ACCESS_TABLE")
            peer = Peer(address, call.auth_context().get(_SAN, ()))
            caller = await self._gate.rpc_caller(peer, _authorization(sent), sent.get(METADATA_KEY))
            caller.require(row)
        except (Unauthenticated, PermissionDenied) as error:
            denied("grpc", method, caller, error)
            raise
        context.act_for(None if caller.speaks_for_others else caller)
        return caller

    async def record_change(self, method: str, caller: Caller, request: Any, code: str) -> None:
        """Leaves an audit entry of a call that was admitted."""
        outcome = "done" if code == "OK" else "failed"
        record = partial(self._gate.audit.record, outcome=outcome, detail=f"status={code}")
        await blocking(record, caller.subject, action_of(method), subject_of(request))


def denied(plane: str, what: str, caller: Caller | None, error: RecomeshError) -> None:
    """Counts and logs a refusal."""
    metrics.DENIED_TOTAL.labels(plane, error.reason).inc()
    log.warning("denied", plane=plane, what=what, caller=caller.subject if caller else "", reason=error.reason)


def _authorization(sent: Mapping[str, str]) -> str:
    key = sent.get("x-api-key")
    return f"Bearer {key}" if key else sent.get("authorization", "")
