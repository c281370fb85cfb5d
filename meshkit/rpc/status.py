"""The one table between errors and gRPC statuses, both ways.

Errors travel as `google.rpc.Status` with `ErrorInfo` (stable reason), `BadRequest` (field violations) or `RetryInfo`
(https://google.aip.dev/193).
"""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from meshkit import errors as e

DOMAIN = "recomesh"

_CODES: dict[type[e.RecomeshError], grpc.StatusCode] = {
    e.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    e.NotFound: grpc.StatusCode.NOT_FOUND,
    e.Aborted: grpc.StatusCode.ABORTED,
    e.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    e.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    e.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    e.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    e.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    e.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def to_status(error: Exception) -> status_pb2.Status:
    """The status of an error; anything outside the tree becomes INTERNAL without a word of its text."""
    if isinstance(error, NotImplementedError):  # a method of the contract that the generated base class answers
        return status_pb2.Status(code=grpc.StatusCode.UNIMPLEMENTED.value[0], message="not implemented")
    if not isinstance(error, e.RecomeshError):
        return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message="internal error")
    code = next((_CODES[c] for c in type(error).__mro__ if c in _CODES), grpc.StatusCode.INTERNAL)
    details = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_facts(error))]
    packed = [_pack(d) for d in details]
    if isinstance(error, e.InvalidArgument):
        bad = error_details_pb2.BadRequest()
        for violation in error.violations:
            bad.field_violations.add(field=violation.field, description=violation.description)
        packed.append(_pack(bad))
    if isinstance(error, e.ResourceExhausted | e.Unavailable):
        wait = duration_pb2.Duration()
        wait.FromMilliseconds(round(error.retry_after_s * 1000))
        packed.append(_pack(error_details_pb2.RetryInfo(retry_delay=wait)))
    return status_pb2.Status(code=code.value[0], message=error.message, details=packed)


def from_status(status: status_pb2.Status, *, part: str) -> e.RecomeshError:
    """The error a service meant. `part` names the service for errors that say what is away."""
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        for message in (info, bad, retry):
            detail.Unpack(message)
    retry_after_s = retry.retry_delay.ToMilliseconds() / 1000 or 1.0
    code, reason = status.code, info.reason or None
    if code == grpc.StatusCode.INVALID_ARGUMENT.value[0]:
        found = [e.FieldViolation(v.field, v.description) for v in bad.field_violations]
        return e.InvalidArgument(found or [e.FieldViolation("request", status.message)], reason=reason)
    if code == grpc.StatusCode.NOT_FOUND.value[0]:
        return e.NotFound(info.metadata.get("kind", "resource"), info.metadata.get("key", ""))
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]:
        return e.ResourceExhausted(status.message, retry_after_s=retry_after_s, reason=reason)
    if code == grpc.StatusCode.UNAVAILABLE.value[0]:
        known = info.metadata.get("part", part)
        return e.Unavailable(known, status.message if info.reason else "", retry_after_s=retry_after_s)
    for kind in (e.Aborted, e.FailedPrecondition, e.Unauthenticated, e.PermissionDenied, e.DeadlineExceeded):
        if code == _CODES[kind].value[0]:
            return kind(status.message, reason=reason)
    return e.RecomeshError(f"{part} failed")


def from_rpc_error(error: grpc.RpcError, *, part: str) -> e.RecomeshError:
    """The error behind a failed call."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:
        status = None
    if status is None:
        code = error.code() if hasattr(error, "code") else grpc.StatusCode.UNKNOWN
        details = error.details() if hasattr(error, "details") else ""
        status = status_pb2.Status(code=code.value[0], message=details or "")
    return from_status(status, part=part)


def _facts(error: e.RecomeshError) -> dict[str, str]:
    return {name: str(getattr(error, name)) for name in ("kind", "key", "part") if hasattr(error, name)}


def _pack(
    message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
