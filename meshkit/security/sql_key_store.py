"""Keys in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from meshkit.errors import NotFound
from meshkit.security.api_keys import StoredKey
from meshkit.security.memory_key_store import too_many_live
from meshkit.security.roles import Role, Scope
from meshkit.security.sql_database import CLOCK, KEYS, SecurityDatabase, microseconds, moment, moment_or_none


class SqlKeyStore:
    """The `KeyStore` port. A writer advances the row of the clock first, so writes never interleave."""

    def __init__(self, database: SecurityDatabase) -> None:
        self._database = database

    def revision(self) -> int:
        """See the port."""
        with self._database.transaction() as connection:
            return connection.scalar(sa.select(CLOCK.c.revision)) or 0

    def all(self) -> Sequence[StoredKey]:
        """See the port."""
        with self._database.transaction() as connection:
            rows = connection.execute(sa.select(KEYS).order_by(KEYS.c.created_us, KEYS.c.key_id))
            return [_key_of(row) for row in rows]

    def add(self, key: StoredKey, *, max_live: int) -> None:
        """See the port."""
        with self._database.transaction() as connection:
            _advance(connection)
            _insert(connection, key, max_live)

    def replace(self, old_id: str, expires_at: datetime, new: StoredKey, *, max_live: int) -> None:
        """See the port."""
        with self._database.transaction() as connection:
            _advance(connection)
            old = _get(connection, old_id)
            _insert(connection, new, max_live)
            if old.expires_at is None or old.expires_at > expires_at:
                ends = sa.update(KEYS).where(KEYS.c.key_id == old_id).values(expires_us=microseconds(expires_at))
                connection.execute(ends)

    def revoke(self, key_id: str, at: datetime) -> StoredKey:
        """See the port."""
        with self._database.transaction() as connection:
            _advance(connection)
            live = sa.and_(KEYS.c.key_id == key_id, KEYS.c.revoked_us.is_(None))
            connection.execute(sa.update(KEYS).where(live).values(revoked_us=microseconds(at)))
            return _get(connection, key_id)

    def touch(self, used: Mapping[str, datetime]) -> None:
        """See the port."""
        with self._database.transaction() as connection:
            for key_id, at in sorted(used.items()):
                older = sa.or_(KEYS.c.last_used_us.is_(None), KEYS.c.last_used_us < microseconds(at))
                which = sa.and_(KEYS.c.key_id == key_id, older)
                connection.execute(sa.update(KEYS).where(which).values(last_used_us=microseconds(at)))


def _advance(connection: Connection) -> None:
    connection.execute(sa.update(CLOCK).values(revision=CLOCK.c.revision + 1))


def _insert(connection: Connection, key: StoredKey, max_live: int) -> None:
    now = microseconds(key.created_at)
    live = sa.and_(
        KEYS.c.name == key.name,
        KEYS.c.revoked_us.is_(None),
        sa.or_(KEYS.c.expires_us.is_(None), KEYS.c.expires_us > now),
    )
    if (connection.scalar(sa.select(sa.func.count()).select_from(KEYS).where(live)) or 0) >= max_live:
        raise too_many_live(key.name, max_live)
    connection.execute(
        sa.insert(KEYS).values(
            key_id=key.key_id,
            name=key.name,
            role=key.role.value,
            scopes=" ".join(sorted(key.scopes)),
            digest=key.digest,
            created_us=now,
            created_by=key.created_by,
            expires_us=None if key.expires_at is None else microseconds(key.expires_at),
            revoked_us=None if key.revoked_at is None else microseconds(key.revoked_at),
            last_used_us=None if key.last_used_at is None else microseconds(key.last_used_at),
        )
    )


def _get(connection: Connection, key_id: str) -> StoredKey:
    row = connection.execute(sa.select(KEYS).where(KEYS.c.key_id == key_id)).first()
    if row is None:
        raise NotFound("key", key_id[:64])
    return _key_of(row)


def _key_of(row: sa.Row[Any]) -> StoredKey:
    return StoredKey(
        key_id=row.key_id,
        name=row.name,
        role=Role(row.role),
        scopes=frozenset(Scope(s) for s in row.scopes.split()),
        digest=bytes(row.digest),
        created_at=moment(row.created_us),
        created_by=row.created_by,
        expires_at=moment_or_none(row.expires_us),
        revoked_at=moment_or_none(row.revoked_us),
        last_used_at=moment_or_none(row.last_used_us),
    )
