"""Keys in memory, for tests."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from meshkit.errors import FailedPrecondition, NotFound
from meshkit.security.api_keys import StoredKey


class MemoryKeyStore:
    """The `KeyStore` port."""

    def __init__(self) -> None:
        self._keys: dict[str, StoredKey] = {}
        self._revision = 0
        self._lock = threading.Lock()

    def revision(self) -> int:
        """See the port."""
        return self._revision

    def all(self) -> Sequence[StoredKey]:
        """See the port."""
        with self._lock:
            return sorted(self._keys.values(), key=lambda k: (k.created_at, k.key_id))

    def add(self, key: StoredKey, *, max_live: int) -> None:
        """See the port."""
        with self._lock:
            self._add(key, max_live)

    def replace(self, old_id: str, expires_at: datetime, new: StoredKey, *, max_live: int) -> None:
        """See the port."""
        with self._lock:
            old = self._get(old_id)
            self._add(new, max_live)
            if old.expires_at is None or old.expires_at > expires_at:
                self._keys[old_id] = replace(old, expires_at=expires_at)

    def revoke(self, key_id: str, at: datetime) -> StoredKey:
        """See the port."""
        with self._lock:
            key = self._get(key_id)
            if key.revoked_at is None:
                key = self._keys[key_id] = replace(key, revoked_at=at)
                self._revision += 1
            return key

    def touch(self, used: Mapping[str, datetime]) -> None:
        """See the port."""
        with self._lock:
            for key_id, at in used.items():
                key = self._keys.get(key_id)
                if key is not None and (key.last_used_at is None or key.last_used_at < at):
                    self._keys[key_id] = replace(key, last_used_at=at)

    def _add(self, key: StoredKey, max_live: int) -> None:
        live = [k for k in self._keys.values() if k.name == key.name and k.state(key.created_at) == "live"]
        if len(live) >= max_live:
            raise too_many_live(key.name, max_live)
        self._keys[key.key_id] = key
        self._revision += 1

    def _get(self, key_id: str) -> StoredKey:
        if key_id not in self._keys:
            raise NotFound("key", key_id[:64])
        return self._keys[key_id]


def too_many_live(name: str, max_live: int) -> FailedPrecondition:
    """What `add` raises."""
    return FailedPrecondition(
        f"{name!r} has {max_live} live keys already; revoke one of them first (`recomesh keys list`)",
        reason="TOO_MANY_LIVE_KEYS",
    )
