"""The composition root of `recomesh backup` and `restore` for the profiles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshkit.backup.port import BackedUp
from meshkit.postgres import PostgresLimits
from meshkit.settings import MeshSettings
from profile_svc.adapters.sql_backup import SqlProfileBackup
from profile_svc.adapters.sql_store import open_engine


@contextmanager
def opened(settings: MeshSettings) -> Iterator[BackedUp]:
    """The profiles' store, migrated. Unavailable when it is away."""
    engine = open_engine(settings.database_url or settings.sqlite_url("profile.db"), PostgresLimits.of(settings))
    try:
        yield SqlProfileBackup(engine)
    finally:
        engine.dispose()
