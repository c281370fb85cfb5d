"""The port to where keys are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from meshkit.security.api_keys import StoredKey


class KeyStore(Protocol):
    """Keys by id. Blocking; thread-safe. Every method raises Unavailable("keys") when the store is away."""

    def revision(self) -> int:
        """Grows with every change but those of `touch`; 0 while there was none."""
        ...

    def all(self) -> Sequence[StoredKey]:
        """Every key by creation, revoked and expired ones too."""
        ...

    def add(self, key: StoredKey, *, max_live: int) -> None:
        """Keeps a new key. FailedPrecondition (TOO_MANY_LIVE_KEYS) if its name has `max_live` live keys already.

        The count and the write are one step: two calls at once never leave more.
        """
        ...

    def replace(self, old_id: str, expires_at: datetime, new: StoredKey, *, max_live: int) -> None:
        """Adds `new` and lets the old key end at `expires_at` (or sooner, if it did so already), in one step.

        NotFound; FailedPrecondition as for `add`.
        """
        ...

    def revoke(self, key_id: str, at: datetime) -> StoredKey:
        """Ends a key; revoking one again changes nothing. NotFound."""
        ...

    def touch(self, used: Mapping[str, datetime]) -> None:
        """Notes when keys were last used; an earlier time than the kept one, or an unknown id, changes nothing."""
        ...
