"""A bounded cache in the memory of this process, with time to live, jitter, single flight and last-good values."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from edge.adapters.cache_metrics import CacheStats, stats_of

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    stored: float
    fresh_until: float
    serve_until: float
    generation: int


class MemoryCache(Generic[K, V]):
    """The `Cache` port on one event loop.

    Values live `ttl_s`, spread by up to `jitter` of it so that they do not all end at once, and are kept as last-good
    for `keep_s`. Beyond `max_entries` the least recently read leaves. For `revalidate_s` after its time to live a value
    that nothing outdated still answers, while it is read anew behind the caller's back (stale-while-revalidate, as in
    RFC 5861).
    """

    def __init__(
        self,
        *,
        max_entries: int,
        ttl_s: float,
        name: str = "",
        keep_s: float = 3600.0,
        revalidate_s: float = 0.0,
        jitter: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._ttl_s = ttl_s
        self._keep_s = keep_s
        self._jitter = jitter
        self._revalidate_s = revalidate_s
        self._stats = stats_of(name, "memory") if name else CacheStats()
        self._clock = clock
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._loading: dict[tuple[K, int], asyncio.Task[V]] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    def fresh(self, key: K) -> V | None:
        """See the port."""
        entry, now = self._entries.get(key), self._clock()
        if entry is None or entry.generation != self._generation or entry.fresh_until <= now:
            self._stats.misses += 1
            return None
        self._stats.hits += 1
        self._stats.age_s = now - entry.stored
        self._entries.move_to_end(key)
        return entry.value

    def last_good(self, key: K) -> tuple[V, float] | None:
        """See the port."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        age_s = self._clock() - entry.stored
        if age_s > self._keep_s:
            del self._entries[key]
            return None
        return entry.value, age_s

    def held(self, keys: Iterable[K]) -> dict[K, V]:
        """See the port."""
        oldest, entry_of = self._clock() - self._keep_s, self._entries.get
        return {key: entry.value for key in keys if (entry := entry_of(key)) is not None and entry.stored >= oldest}

    def ended(self, key: K) -> V | None:
        """See the port."""
        entry = self._entries.get(key)
        if entry is None or entry.generation != self._generation or self._clock() >= entry.serve_until:
            return None
        return entry.value

    def spend(self, key: K) -> None:
        """See the port."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = replace(entry, serve_until=entry.fresh_until)

    def put(self, key: K, value: V, *, ttl_s: float | None = None, revalidate: bool = True) -> None:
        """See the port."""
        longer_s = self._revalidate_s if revalidate else 0.0
        ttl_s = self._ttl_s if ttl_s is None else ttl_s
        now = self._clock()
        fresh_until = now + ttl_s * (1 - random.random() * self._jitter)
        self._entries[key] = _Entry(value, now, fresh_until, fresh_until + longer_s, self._generation)
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
            self._stats.evictions += 1

    def drop(self, key: K) -> None:
        """See the port."""
        self._entries.pop(key, None)

    def outdate(self) -> None:
        """See the port."""
        self._generation += 1

    async def get_or_load(self, key: K, load: Callable[[], Awaitable[V]], *, ttl_s: float | None = None) -> V:
        """See the port. The load goes on when those who wait give up."""
        value = self.fresh(key)
        if value is not None:
            return value
        flight = (key, self._generation)
        task = self._loading.get(flight)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load(flight, load, ttl_s))
            self._loading[flight] = task
            task.add_done_callback(lambda done: self._landed(flight, done))
        value = self.ended(key)
        if value is not None:
            return value
        return await asyncio.shield(task)

    async def _load(self, flight: tuple[K, int], load: Callable[[], Awaitable[V]], ttl_s: float | None) -> V:
        value = await load()
        if flight[1] == self._generation:
            self.put(flight[0], value, ttl_s=ttl_s, revalidate=ttl_s is None)  # who asks for a shorter life means it
        return value

    def _landed(self, flight: tuple[K, int], task: asyncio.Task[V]) -> None:
        self._loading.pop(flight, None)
        failed = not task.cancelled() and task.exception() is not None  # asking marks it as seen
        if failed and flight[1] == self._generation:
            self.spend(flight[0])  # who asks next must hear of it
