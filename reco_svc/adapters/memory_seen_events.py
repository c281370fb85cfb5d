"""SeenEvents in memory: 16 bytes for each of up to two million ids.

Ids are kept as 64-bit hashes in two hash tables with open addressing (linear probing), a young one and an old one. When
the young one is full, or half the time to remember has passed, the old one is emptied and the two change places. So an
id is remembered for the last half of `max_ids` and of `remember` at least, twice that at most. The chance that a new id
is taken for a known one is below 1e-12; `RecordInteractions` sends such an event to the log all the same.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Sequence
from datetime import timedelta

_FREE, _FORGOTTEN = 0, 1
_MASK = (1 << 64) - 1


class MemorySeenEvents:
    """See `domain.ports.SeenEvents`. `monotonic` is the clock, in seconds."""

    def __init__(
        self,
        *,
        max_ids: int = 2_000_000,
        remember: timedelta = timedelta(hours=24),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._half_life_s = remember.total_seconds() / 2
        self._half = max(1, max_ids // 2)
        self._lock = threading.Lock()
        self._young, self._old = _HashTable(self._half), _HashTable(self._half)
        self._young_since = monotonic()

    def add_new(self, event_ids: Sequence[str]) -> Sequence[bool]:
        """An id that comes twice in one call is new once."""
        with self._lock:
            return [self._add(_hash(event_id)) for event_id in event_ids]

    def forget(self, event_ids: Sequence[str]) -> None:
        """Unknown ids are no matter."""
        with self._lock:
            for event_id in event_ids:
                key = _hash(event_id)
                self._young.discard(key)
                self._old.discard(key)

    def _add(self, key: int) -> bool:
        if key in self._young or key in self._old:
            return False
        if self._young.used >= self._half or self._monotonic() - self._young_since > self._half_life_s:
            self._young, self._old = _HashTable(self._half), self._young
            self._young_since = self._monotonic()
        self._young.add(key)
        return True


class _HashTable:
    """A set of 64-bit numbers; `used` counts places taken, forgotten ones included. Twice as many places as keys."""

    def __init__(self, keys: int) -> None:
        places = 1 << (2 * keys - 1).bit_length()
        self._places = array("Q", bytes(8)) * places
        self._last = places - 1
        self.used = 0

    def __contains__(self, key: int) -> bool:
        return self._places[self._find(key)] == key

    def add(self, key: int) -> None:
        """Adds a key that is not in the table."""
        self._places[self._find(key)] = key
        self.used += 1

    def discard(self, key: int) -> None:
        """The place stays taken, so that keys that were moved past it are still found."""
        at = self._find(key)
        if self._places[at] == key:
            self._places[at] = _FORGOTTEN

    def _find(self, key: int) -> int:
        """Where the key is, or the free place where it belongs."""
        at, last, places = key & self._last, self._last, self._places
        while places[at] not in (key, _FREE):
            at = (at + 1) & last
        return at


def _hash(event_id: str) -> int:
    """Python's own keyed hash of a text: differs from process to process, so nobody can aim for a collision."""
    return max(2, hash(event_id) & _MASK)
