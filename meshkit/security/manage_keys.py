"""Issuing, listing, rotating and revoking keys; every change is in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from meshkit.security.api_keys import StoredKey, digest_of, new_key
from meshkit.security.audit import Audit
from meshkit.security.key_store import KeyStore
from meshkit.security.roles import ROLE_SCOPES, Role, Scope

MAX_LIVE = 2  # of one name: the old one and its successor
MAX_DAYS = 3650
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key. `text` is shown to its owner once and kept nowhere."""

    text: str = field(repr=False)
    key: StoredKey


class ManageKeys:
    """The use cases of keys. `by` is the subject of whoever asks. Blocking."""

    def __init__(
        self, store: KeyStore, pepper: bytes, audit: Audit, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._pepper = pepper
        self._audit = audit
        self._clock = clock

    def create(
        self, name: str, role: Role, *, by: str, scopes: Iterable[Scope] = (), expires_in: timedelta | None = None
    ) -> IssuedKey:
        """A new key. InvalidArgument for a bad name, a scope the role lacks, an expiry not in 1 s to 3,650 days;
        FailedPrecondition if the name has two live keys."""
        narrowed = frozenset(scopes)
        _check(name, role, narrowed, expires_in)
        issued = self._issue(name, role, narrowed, by, expires_in)
        self._store.add(issued.key, max_live=MAX_LIVE)
        self._audit.record(by, "key.create", f"key:{issued.key.key_id}", detail=f"name={name} role={role}")
        return issued

    def list(self) -> Sequence[StoredKey]:
        """Every key by creation."""
        return self._store.all()

    def rotate(self, key_id: str, *, by: str, grace: timedelta) -> IssuedKey:
        """A successor with the same name, role and scopes; the old key ends after `grace` (0 to 90 days).

        The successor lives as long as the old key was meant to. NotFound; FailedPrecondition for a key that ended.
        """
        if not timedelta(0) <= grace <= timedelta(days=90):
            raise InvalidArgument.of("grace", "must be 0 to 90 days")
        old = next((key for key in self._store.all() if key.key_id == key_id), None)
        if old is None:
            raise NotFound("key", key_id[:64])
        now = self._clock()
        if (state := old.state(now)) != "live":
            raise FailedPrecondition(f"key {key_id} is {state}; create a new one", reason="KEY_NOT_LIVE")
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        issued = self._issue(old.name, old.role, old.scopes, by, lifetime)
        self._store.replace(key_id, now + grace, issued.key, max_live=MAX_LIVE)
        detail = f"successor of {key_id}, which ends in {round(grace.total_seconds())} s"
        self._audit.record(by, "key.rotate", f"key:{issued.key.key_id}", detail=detail)
        return issued

    def revoke(self, key_id: str, *, by: str) -> StoredKey:
        """Ends a key; processes see it within RECOMESH_KEYS_REFRESH_S. NotFound."""
        key = self._store.revoke(key_id, self._clock())
        self._audit.record(by, "key.revoke", f"key:{key_id}", detail=f"name={key.name}")
        return key

    def _issue(
        self, name: str, role: Role, scopes: frozenset[Scope], by: str, expires_in: timedelta | None
    ) -> IssuedKey:
        made, text = new_key()
        now = self._clock()
        key = StoredKey(
            key_id=made.key_id,
            name=name,
            role=role,
            scopes=scopes,
            digest=digest_of(made, self._pepper),
            created_at=now,
            created_by=by,
            expires_at=None if expires_in is None else now + expires_in,
        )
        return IssuedKey(text, key)


def _check(name: str, role: Role, scopes: frozenset[Scope], expires_in: timedelta | None) -> None:
    if not _NAME.match(name):
        raise InvalidArgument.of("name", "must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit")
    if beyond := sorted(scopes - ROLE_SCOPES[role]):
        raise InvalidArgument.of("scopes", f"the role {role} does not have {', '.join(beyond)}")
    if expires_in is not None and not timedelta(seconds=1) <= expires_in <= timedelta(days=MAX_DAYS):
        raise InvalidArgument.of("expires", f"must be 1 second to {MAX_DAYS} days")
