"""The keys as a serving process knows them: all in memory, so that a request never waits for the store.

There are few keys (thousands at most). The ring reads them anew when the store's revision has grown, and asks for that
once every `refresh_s`; a key made or revoked is known everywhere that soon. While the store is away the last known keys
hold: refusing every shop because a database restarts would be the greater harm. The age is a metric with an alert.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from meshkit import metrics
from meshkit.errors import RecomeshError, Unauthenticated, Unavailable
from meshkit.process import blocking
from meshkit.security.api_keys import StoredKey, digest_of, read_key
from meshkit.security.caller import Caller
from meshkit.security.key_store import KeyStore

log = structlog.get_logger()
_DUMMY = bytes(32)
FLUSH_S = 10.0


@dataclass(frozen=True, slots=True)
class _Book:
    """The keys of one revision, replaced as a whole: what was verified against an older one is forgotten with it.

    `verified` is by keyed hash of the text, so that no secret stays in memory.
    """

    pepper: bytes
    held: dict[str, _Held]
    verified: dict[bytes, _Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Held:
    key_id: str
    caller: Caller
    digest: bytes
    expires_s: float


class KeyRing:
    """Verifies keys. `refresh_s` bounds how late a change of the store is seen."""

    def __init__(
        self,
        store: KeyStore,
        pepper: Callable[[], bytes],
        *,
        refresh_s: float = 1.0,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._read_pepper = pepper
        self._refresh_s = refresh_s
        self._wall_clock = wall_clock
        self._clock = clock
        self._book = _Book(b"", {})
        self._revision: int | None = None
        self._checked_at = clock()
        self._hash_key = secrets.token_bytes(32)
        self._used: dict[str, float] = {}
        self._flushed_at = clock()
        self._trouble = ""

    def caller_of(self, text: str) -> Caller:
        """The holder of a key. A key that was verified since the last change costs one hash and two look-ups.

        Unauthenticated, with the same words for an unknown, a wrong, an expired and a revoked key; Unavailable if the
        keys could never be read.
        """
        if self._revision is None:
            raise Unavailable("keys", "keys can not be checked now")
        fingerprint = hashlib.blake2b(text.encode(), key=self._hash_key, digest_size=16).digest()
        book = self._book
        held = book.verified.get(fingerprint) or _verify(book, text, fingerprint)
        now = self._wall_clock()
        if held.expires_s <= now:
            raise refused("ended")
        self._used[held.key_id] = now
        return held.caller

    def holder(self, key_id: str) -> Caller | None:
        """The caller of a key by its id, while it is live."""
        held = self._book.held.get(key_id)
        return held.caller if held is not None and held.expires_s > self._wall_clock() else None

    def refresh(self) -> None:
        """Reads the keys anew if they changed, and notes when keys were used. Blocking. Unavailable."""
        revision = self._store.revision()
        if revision != self._revision:
            held = {key.key_id: _hold(key) for key in self._store.all() if key.revoked_at is None}
            self._book = _Book(self._read_pepper(), held)
            self._revision = revision
        self._checked_at = self._clock()
        if self._used and self._clock() - self._flushed_at >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Hands the times of use to the store. Blocking. Unavailable."""
        used, self._used = self._used, {}
        self._flushed_at = self._clock()
        if used:
            self._store.touch({key_id: datetime.fromtimestamp(at, UTC) for key_id, at in used.items()})
            log.info("keys_used", keys=sorted(used))

    @property
    def age_s(self) -> float:
        """Seconds since the store last confirmed the keys."""
        return self._clock() - self._checked_at

    async def run(self, stop: asyncio.Event) -> None:
        """Keeps the ring current until `stop`."""
        while not stop.is_set():
            await self.try_refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._refresh_s)
        try:
            await blocking(self.flush)
        except RecomeshError as error:
            log.warning("keys_use_not_kept", trouble=error.message)

    async def try_refresh(self) -> None:
        """`refresh`; trouble is logged when it begins and when it ends."""
        trouble = ""
        try:
            await blocking(self.refresh)
        except RecomeshError as error:
            trouble = error.message
        metrics.KEYS_AGE_SECONDS.set(self.age_s)
        if trouble != self._trouble:
            (log.warning if trouble else log.info)("keys", trouble=trouble or "ok")
            self._trouble = trouble


def _verify(book: _Book, text: str, fingerprint: bytes) -> _Held:
    key = read_key(text)
    if key is None:
        raise refused("malformed")
    held = book.held.get(key.key_id)
    same = hmac.compare_digest(digest_of(key, book.pepper), _DUMMY if held is None else held.digest)
    if held is None or not same:
        raise refused("unknown" if held is None else "wrong")
    book.verified[fingerprint] = held  # at most one entry per live key: only its own text verifies
    return held


def refused(why: str) -> Unauthenticated:
    """The one answer to every bad key; `why` is counted, not told."""
    metrics.BAD_CREDENTIALS_TOTAL.labels("key", why).inc()
    return Unauthenticated("the key is not valid; `recomesh keys list` shows which are", reason="KEY_INVALID")


def _hold(key: StoredKey) -> _Held:
    caller = Caller.of(f"key:{key.key_id}", key.role, only=key.scopes)
    expires_s = float("inf") if key.expires_at is None else key.expires_at.timestamp()
    return _Held(key.key_id, caller, key.digest, expires_s)
