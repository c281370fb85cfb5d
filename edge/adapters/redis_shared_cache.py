"""A cache on Redis that all edges share. What is there is a hint: the reader judges by `as_of` whether it is true."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import orjson
import structlog

from edge.adapters.cache_metrics import stats_of
from edge.domain.ports import SharedEntry
from meshkit.errors import Unavailable
from meshkit.redis.link import RedisLink

log = structlog.get_logger()
FORMAT = 1  # of values; a reader takes any other for a miss
K = TypeVar("K")
V = TypeVar("V")


class RedisSharedCache(Generic[K, V]):
    """The `SharedCache` port. A value is JSON: [format, as_of, Unix time it was written in ms, what `encode` made].

    Values live `ttl_s`, up to `jitter` of it shorter. Writing happens in the background; whatever goes wrong is a miss.
    """

    def __init__(
        self,
        link: RedisLink,
        name: str,
        *,
        ttl_s: float,
        key_of: Callable[[K], str],
        encode: Callable[[V], object],
        decode: Callable[[Any], V],
        jitter: float = 0.1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._link = link
        self._name = name
        self._ttl_ms = ttl_s * 1000
        self._key_of = key_of
        self._encode = encode
        self._decode = decode
        self._jitter = jitter
        self._clock = clock
        self._stats = stats_of(name, "redis")
        self._writing: set[asyncio.Task[None]] = set()

    async def get(self, keys: Sequence[K]) -> Mapping[K, SharedEntry[V]]:
        """One MGET; nothing while Redis is away."""
        if self._link.away:
            return {}
        names = [self._name_of(key) for key in keys]
        try:
            texts = await self._link.acall(lambda redis: redis.mget(names))
        except Unavailable:
            return {}
        found: dict[K, SharedEntry[V]] = {}
        for key, text in zip(keys, cast(list[bytes | None], texts), strict=True):
            entry = self._entry(text)
            if entry is None:
                self._stats.misses += 1
            else:
                self._stats.hits += 1
                self._stats.age_s = entry.age_s
                found[key] = entry
        return found

    def put(self, values: Mapping[K, V], as_of: int) -> None:
        """Returns at once."""
        if not values or self._link.away:
            return
        written_ms = round(self._clock() * 1000)
        texts = {
            self._name_of(k): orjson.dumps([FORMAT, as_of, written_ms, self._encode(v)]) for k, v in values.items()
        }
        task = asyncio.get_running_loop().create_task(self._write(texts))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def settle(self) -> None:
        """Until everything is written."""
        await asyncio.gather(*self._writing)

    async def _write(self, texts: Mapping[str, bytes]) -> None:
        async def work(redis: Any) -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                for name, text in texts.items():
                    pipeline.set(name, text, px=max(1, round(self._ttl_ms * (1 - random.random() * self._jitter))))
                await pipeline.execute()

        try:
            await self._link.acall(work)
        except Unavailable as error:
            log.debug("not_shared", cache=self._name, values=len(texts), error=error.message)

    def _entry(self, text: bytes | None) -> SharedEntry[V] | None:
        if text is None:
            return None
        try:
            number, as_of, written_ms, value = orjson.loads(text)
            if number != FORMAT or type(as_of) is not int:
                return None
            age_s = min(max(0.0, self._clock() - written_ms / 1000), self._ttl_ms / 1000)
            return SharedEntry(self._decode(value), as_of, age_s)
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def _name_of(self, key: K) -> str:
        return f"recomesh:{self._name}:{self._key_of(key)}"


class NothingShared(Generic[K, V]):
    """The `SharedCache` port of one process alone."""

    async def get(self, keys: Sequence[K]) -> Mapping[K, SharedEntry[V]]:
        """Nothing."""
        return {}

    def put(self, values: Mapping[K, V], as_of: int) -> None:
        """Goes nowhere."""

    async def settle(self) -> None:
        """At once."""
