"""Sessions of people who logged in at an admin plane: kept beside the keys, so that every plane and replica knows them.

The cookie holds a random token; kept are its SHA-256, who it is for, and when it ends. A session ends with the
password or key that it began with.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from meshkit.security.sql_database import SESSIONS, SecurityDatabase


@dataclass(frozen=True, slots=True)
class Session:
    """`holder` is the id of a key, "" for the administrator; `proof` is `proof_of` the password it began with."""

    digest: bytes
    holder: str
    proof: bytes
    expires_s: float


class SessionStore(Protocol):
    """Where sessions are. Blocking; thread-safe. Every method raises Unavailable("keys") when the store is away."""

    def add(self, session: Session) -> None:
        """Keeps a session, and forgets those that ended."""
        ...

    def find(self, digest: bytes) -> Session | None:
        """A session by the digest of its token."""
        ...

    def remove(self, digest: bytes) -> None:
        """Ends a session; one that is not there is no error."""
        ...


def new_token() -> str:
    """256 bits."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def proof_of(token: str, password: str) -> bytes:
    """Tells whether a password is still the one that a session began with; says nothing to who has not the token."""
    return hmac.digest(token.encode(), b"password\0" + password.encode(), hashlib.sha256)


def csrf_of(token: str) -> str:
    """What forms of a session must bring back; another site can neither read nor compute it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


class MemorySessionStore:
    """The `SessionStore` port in memory."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._held: dict[bytes, Session] = {}

    def add(self, session: Session) -> None:
        """See the port."""
        now = self._clock()
        self._held = {d: s for d, s in self._held.items() if s.expires_s > now} | {session.digest: session}

    def find(self, digest: bytes) -> Session | None:
        """See the port."""
        return self._held.get(digest)

    def remove(self, digest: bytes) -> None:
        """See the port."""
        self._held.pop(digest, None)


class SqlSessionStore:
    """The `SessionStore` port in SQL."""

    def __init__(self, database: SecurityDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, session: Session) -> None:
        """See the port."""
        with self._database.transaction() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires_s <= self._clock()))
            connection.execute(
                sa.insert(SESSIONS).values(
                    digest=session.digest, holder=session.holder, proof=session.proof, expires_s=session.expires_s
                )
            )

    def find(self, digest: bytes) -> Session | None:
        """See the port."""
        with self._database.transaction() as connection:
            row = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.digest == digest)).one_or_none()
        return None if row is None else Session(bytes(row.digest), row.holder, bytes(row.proof), row.expires_s)

    def remove(self, digest: bytes) -> None:
        """See the port."""
        with self._database.transaction() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == digest))
