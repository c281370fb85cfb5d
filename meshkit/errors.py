"""The errors of the mesh. Each carries data; `rpc/status.py` and `web/problem.py` turn it into a status.

RecomeshError
├── InvalidArgument     violations: what is wrong with which field
├── NotFound            kind, key
├── Aborted             the caller's picture is out of date: read again, then retry
├── FailedPrecondition  the state does not allow it; retrying alone does not help
├── Unauthenticated     who are you
├── PermissionDenied    you may not
├── ResourceExhausted   too much or too often; retry_after_s
├── DeadlineExceeded    no time left
├── Unavailable         part: what is away; retry_after_s
│   ├── Overloaded      this process has no room for the request now
│   └── CircuitOpen     it failed a moment ago and is not asked for now
└── SettingsInvalid     a process can not start with these settings
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One wrong field: its path as the caller wrote it ("products[3].price") and what is allowed."""

    field: str
    description: str


class RecomeshError(Exception):
    """Root of the tree. `reason` is a stable UPPER_SNAKE word that callers may switch on."""

    reason = "INTERNAL"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class InvalidArgument(RecomeshError):
    """The request is wrong, whatever the state. `violations` is never empty."""

    reason = "INVALID_ARGUMENT"

    def __init__(self, violations: Iterable[FieldViolation], *, reason: str | None = None) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in self.violations), reason=reason)

    @classmethod
    def of(cls, field: str, description: str, *, reason: str | None = None) -> InvalidArgument:
        """The common case: one wrong field."""
        return cls([FieldViolation(field, description)], reason=reason)


class NotFound(RecomeshError):
    """`kind` ("product") with `key` does not exist; the reason is KIND_NOT_FOUND."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"{kind} {key!r} does not exist", reason=f"{kind.upper().replace(' ', '_')}_NOT_FOUND")
        self.kind = kind
        self.key = key


class Aborted(RecomeshError):
    """Someone else changed it first; read again and retry."""

    reason = "REVISION_MISMATCH"


class FailedPrecondition(RecomeshError):
    """The state does not allow it."""

    reason = "FAILED_PRECONDITION"


class Unauthenticated(RecomeshError):
    """No or wrong credentials."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(RecomeshError):
    """Good credentials without the right."""

    reason = "PERMISSION_DENIED"


class ResourceExhausted(RecomeshError):
    """A limit was hit; try again after `retry_after_s` seconds."""

    reason = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float = 1.0, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(RecomeshError):
    """The caller's time ran out."""

    reason = "DEADLINE_EXCEEDED"


class Unavailable(RecomeshError):
    """`part` ("catalog", "queue") is away; try again after `retry_after_s` seconds."""

    reason = "UNAVAILABLE"

    def __init__(self, part: str, message: str = "", *, retry_after_s: float = 1.0) -> None:
        super().__init__(message or f"{part} is away")
        self.part = part
        self.retry_after_s = retry_after_s


class Overloaded(Unavailable):
    """This process works on as much as it can; nothing was done for the request."""

    reason = "OVERLOADED"

    def __init__(self, part: str = "server", *, retry_after_s: float = 1.0) -> None:
        message = f"too many requests at once, nothing was done for this one; send it again in {retry_after_s:g} s"
        super().__init__(part, message, retry_after_s=retry_after_s)


class CircuitOpen(Unavailable):
    """`part` failed too often a moment ago; it is given `retry_after_s` seconds before it is asked again."""

    reason = "CIRCUIT_OPEN"

    def __init__(self, part: str, *, retry_after_s: float) -> None:
        super().__init__(part, f"{part} failed too often and is given a moment", retry_after_s=retry_after_s)


class SettingsInvalid(RecomeshError):
    """One line per wrong variable: its name and what is allowed."""

    reason = "SETTINGS_INVALID"
