"""The one table between errors and HTTP problems (RFC 9457, application/problem+json)."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from meshkit import errors as e
from meshkit.context import request_id

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "https://recomesh.dev/problems/"

_STATUS: dict[type[e.RecomeshError], int] = {
    e.InvalidArgument: 400,
    e.Unauthenticated: 401,
    e.PermissionDenied: 403,
    e.NotFound: 404,
    e.Aborted: 409,
    e.FailedPrecondition: 409,
    e.ResourceExhausted: 429,
    e.Unavailable: 503,
    e.DeadlineExceeded: 504,
}


def problem(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and extra headers of an error; anything outside the tree is a bare 500."""
    status = 500
    if isinstance(error, e.RecomeshError):
        status = next((_STATUS[c] for c in type(error).__mro__ if c in _STATUS), 500)
    reason = error.reason if isinstance(error, e.RecomeshError) else "INTERNAL"
    body = problem_body(status, reason, error.message if status != 500 and isinstance(error, e.RecomeshError) else "")
    headers = {}
    if isinstance(error, e.InvalidArgument):
        body["errors"] = [{"field": v.field, "detail": v.description} for v in error.violations]
    if isinstance(error, e.ResourceExhausted | e.Unavailable):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    return status, body, headers


def problem_body(status: int, reason: str, detail: str) -> dict[str, Any]:
    """A problem without field errors."""
    return {
        "type": TYPE_PREFIX + reason.lower().replace("_", "-"),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or "the server failed; the trace id tells its operators where",
        "errors": [],
        "trace_id": request_id(),
    }
