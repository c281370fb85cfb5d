"""A budget for retries: they may add a tenth to the load of a part, not multiply it when it is down already."""

from __future__ import annotations


class RetryBudget:
    """Each first attempt earns `ratio` of a retry, each retry costs one; at most `most` are saved up.

    Over n calls there are at most `ratio * n + most` retries (the token bucket of gRPC's retry throttling, A6, and of
    Finagle's RetryBudget). It begins full, so that a quiet edge may retry too.
    """

    def __init__(self, *, ratio: float = 0.1, most: float = 10.0) -> None:
        self._ratio = ratio
        self._most = most
        self._saved = most

    @property
    def allows(self) -> bool:
        """True if a retry could be paid for now."""
        return self._saved >= 1.0

    def earn(self) -> None:
        """A call was made for the first time."""
        self._saved = min(self._most, self._saved + self._ratio)

    def spend(self) -> bool:
        """Pays for one retry; False if it can not be paid for."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
