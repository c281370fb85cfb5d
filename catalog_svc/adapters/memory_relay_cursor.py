"""The relay's cursor in memory, for tests."""

from __future__ import annotations


class MemoryRelayCursor:
    """See `domain.ports.RelayCursor`."""

    def __init__(self) -> None:
        self._revision = 0

    def read(self) -> int:
        """See the port."""
        return self._revision

    def advance(self, seen: int, revision: int) -> bool:
        """See the port."""
        if seen != self._revision:
            return False
        self._revision = revision
        return True
