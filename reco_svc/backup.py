"""The composition root of `recomesh backup` and `restore` for the recommender."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from meshkit.backup.port import BackedUp
from meshkit.postgres import PostgresLimits
from meshkit.settings import MeshSettings
from reco_svc.adapters import django_setup
from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore, open_snapshots
from reco_svc.adapters.django_backup import DjangoBackup


@contextmanager
def opened(settings: MeshSettings) -> Iterator[BackedUp]:
    """The recommender's database, migrated. Unavailable when it is away."""
    url = settings.database_url or settings.sqlite_url("reco.db")
    django_setup.configure(url, settings.home, limits=PostgresLimits.of(settings))
    django_setup.migrate()
    try:
        yield DjangoBackup()
    finally:
        connection.close()


def snapshots(settings: MeshSettings) -> DirectorySnapshotStore:
    """Where trained models are."""
    return open_snapshots(settings.snapshot_url or f"file://{settings.home.resolve() / 'snapshots'}")
