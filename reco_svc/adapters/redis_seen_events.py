"""SeenEvents on Redis, shared by all replicas: two sets of 8-byte hashes, a young one and an old one.

When the young set is full it becomes the old one, so the last half of `max_ids` is remembered at least. A chance of
one in 10^13 takes a new id for a known one; `RecordInteractions` sends such an event to the log all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import structlog

from meshkit.errors import Unavailable
from meshkit.redis.link import RedisLink
from reco_svc.domain.ports import SeenEvents

log = structlog.get_logger()
_KEYS = ["recomesh:seen:young", "recomesh:seen:old"]

# KEYS: young, old. ARGV: most ids in one set, how long unused sets stay in s, the ids.
_ADD_NEW = """
local new = {}
local size = redis.call('SCARD', KEYS[1])
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1 or redis.call('SADD', KEYS[1], ARGV[i]) == 0 then
    new[i - 2] = 0
  else
    new[i - 2] = 1
    size = size + 1
    if size >= tonumber(ARGV[1]) then
      redis.call('UNLINK', KEYS[2])
      redis.call('RENAME', KEYS[1], KEYS[2])
      size = 0
    end
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return new
"""


class RedisSeenEvents:
    """See `domain.ports.SeenEvents`. About 70 bytes of Redis for each of up to `max_ids`."""

    def __init__(self, link: RedisLink, *, max_ids: int = 2_000_000, remember: timedelta = timedelta(hours=24)) -> None:
        self._link = link
        self._half = max(1, max_ids // 2)
        self._remember_s = int(remember.total_seconds())

    def add_new(self, event_ids: Sequence[str]) -> Sequence[bool]:
        """One script for all, so two replicas never both take an id for new."""
        if not event_ids:
            return []
        arguments: list[int | bytes] = [self._half, self._remember_s, *map(_hash, event_ids)]
        new = self._link.call(lambda redis: redis.register_script(_ADD_NEW)(keys=_KEYS, args=arguments))
        return [bool(is_new) for is_new in cast(list[int], new)]

    def forget(self, event_ids: Sequence[str]) -> None:
        """Unknown ids are no matter."""
        if not event_ids:
            return
        hashes = [_hash(event_id) for event_id in event_ids]
        self._link.call(lambda redis: [redis.srem(key, *hashes) for key in _KEYS])


class SeenEventsTwice:
    """Ids seen by any replica, and by this one alone while the shared memory of them is away. Never Unavailable.

    Ids that came in during an outage stay known here; the log drops what another replica takes for new.
    """

    def __init__(self, shared: SeenEvents, own: SeenEvents) -> None:
        self._shared = shared
        self._own = own

    def add_new(self, event_ids: Sequence[str]) -> Sequence[bool]:
        """New is what neither knows."""
        own = self._own.add_new(event_ids)
        try:
            shared = self._shared.add_new(event_ids)
        except Unavailable:
            return own
        return [here and there for here, there in zip(own, shared, strict=True)]

    def forget(self, event_ids: Sequence[str]) -> None:
        """Here at least: a repeat that Redis still knows is answered `duplicate`, and goes to the log all the same."""
        self._own.forget(event_ids)
        try:
            self._shared.forget(event_ids)
        except Unavailable as error:
            log.warning("seen_events_not_forgotten", events=len(event_ids), error=error.message)


def _hash(event_id: str) -> bytes:
    return hashlib.blake2b(event_id.encode(), digest_size=8).digest()
