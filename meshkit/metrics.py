"""Prometheus metrics that every process has; services add their own beside their code."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

RPC_SECONDS = Histogram("recomesh_rpc_seconds", "Time to answer a gRPC call", ["method"], buckets=_SECONDS)
RPC_TOTAL = Counter("recomesh_rpc_total", "gRPC calls answered", ["method", "code"])
HTTP_SECONDS = Histogram("recomesh_http_seconds", "Time to answer an HTTP request", ["route"], buckets=_SECONDS)
HTTP_TOTAL = Counter("recomesh_http_total", "HTTP requests answered", ["route", "status"])
BAD_CREDENTIALS_TOTAL = Counter("recomesh_bad_credentials_total", "Credentials that were refused", ["kind", "why"])
DENIED_TOTAL = Counter("recomesh_denied_total", "Requests refused by the access table", ["plane", "reason"])
KEYS_AGE_SECONDS = Gauge("recomesh_keys_age_seconds", "Time since the key store last confirmed the keys")
AUDIT_TOTAL = Counter("recomesh_audit_total", "Entries of the audit trail", ["action", "outcome"])
AUDIT_LOST_TOTAL = Counter("recomesh_audit_lost_total", "Audit entries that are in the log only")


def http_answered(route: str, status: int, seconds: float) -> None:
    """Counts one answered HTTP request."""
    seen, total = _http(route, status)
    seen.observe(seconds)
    total.inc()


@cache  # looking a label up costs as much as counting
def _http(route: str, status: int) -> tuple[Histogram, Counter]:
    return HTTP_SECONDS.labels(route), HTTP_TOTAL.labels(route, status)


def rpc_answered(method: str, code: str, seconds: float) -> None:
    """Counts one answered gRPC call."""
    seen, total = _rpc(method, code)
    seen.observe(seconds)
    total.inc()


@cache
def _rpc(method: str, code: str) -> tuple[Histogram, Counter]:
    return RPC_SECONDS.labels(method), RPC_TOTAL.labels(method, code)
