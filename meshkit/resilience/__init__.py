"""Staying up when others do not: circuit breaker, retry budget, admission. Plain Python on a monotonic clock."""
