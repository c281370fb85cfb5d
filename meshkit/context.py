"""What travels with a request through the mesh: request id, trace context, deadline, caller.

The edge (or the first service called) makes a request id; `outgoing_metadata` hands it to the next hop, and every log
line of the request carries it. Deadlines are kept on the monotonic clock, so a clock jump does not move them.
"""

from __future__ import annotations

import re
import time
from contextvars import Context, ContextVar
from random import getrandbits

from meshkit.security.caller import METADATA_KEY, Caller

REQUEST_ID_KEY = "x-request-id"
TRACEPARENT_KEY = "traceparent"

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


def new_request_id() -> str:
    """32 hexadecimal digits: unlike any other, which is all that is asked of them; nothing is to be had for one."""
    return f"{getrandbits(128):032x}"


def bind(request_id: str | None, traceparent: str | None = None, time_left_s: float | None = None) -> str:
    """Starts a request in this task. A missing or odd id is replaced; returns the id in force."""
    request_id = request_id if request_id and _ACCEPTABLE_ID.match(request_id) else new_request_id()
    _request_id.set(request_id)
    _traceparent.set(traceparent if traceparent and _TRACEPARENT.match(traceparent) else "")
    _deadline.set(None if time_left_s is None else time.monotonic() + time_left_s)
    _caller.set(None)
    return request_id


def request_id() -> str:
    """Id of the request this task works for, "" outside one."""
    return _request_id.get()


def caller_subject() -> str:
    """Whom this task works for, as logs name them; "" for the process itself and for callers without credentials."""
    caller = _caller.get()
    return "" if caller is None or caller.is_anonymous else caller.subject


def time_left_s() -> float | None:
    """Seconds until the caller gives up; None: no deadline; never negative."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def limit_time(seconds: float | None) -> None:
    """From now this task may take that long; None: no deadline."""
    _deadline.set(None if seconds is None else time.monotonic() + seconds)


def act_for(caller: Caller | None) -> None:
    """From now this task works for a caller; None: for its own process."""
    _caller.set(caller)


def caller() -> Caller | None:
    """Whom this task works for."""
    return _caller.get()


def caller_in(task: Context) -> Caller | None:
    """Whom a copied context works for."""
    return task.get(_caller)


def outgoing_metadata() -> tuple[tuple[str, str], ...]:
    """gRPC metadata for the next hop."""
    pairs = []
    if request_id := _request_id.get():
        pairs.append((REQUEST_ID_KEY, request_id))
    if traceparent := _traceparent.get():
        pairs.append((TRACEPARENT_KEY, traceparent))
    if caller := _caller.get():
        pairs.append((METADATA_KEY, caller.wire))
    return tuple(pairs)
