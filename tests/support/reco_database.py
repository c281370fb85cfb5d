"""The recommender's databases for a test process, emptied before each test that asks for one.

`fresh_database()` is SQLite in a temporary folder; `fresh_database(url)` a PostgreSQL database. Django knows one
database for the life of a process: what is exchanged here, between tests, is what its "default" means.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from meshkit.postgres import PostgresLimits
from reco_svc.adapters import django_setup

_KEEP = {"django_migrations", "django_content_type", "auth_permission"}
_REFERRING = {"django_admin_log", "auth_user_groups", "auth_user_user_permissions", "auth_group_permissions"}
_homes: list[Path] = []
_migrated: set[str] = set()


def fresh_database(url: str = "") -> None:
    """Configures Django on the first call of a process, then empties every table."""
    if not _homes:
        _homes.append(Path(tempfile.mkdtemp(prefix="recomesh-test-")))
        atexit.register(shutil.rmtree, _homes[0], ignore_errors=True)
    wanted = url or f"sqlite:///{_homes[0]}/reco.db"
    if not settings.configured:
        django_setup.configure(wanted, _homes[0], extra=_admin_settings())
    use_database(wanted)
    if wanted not in _migrated:
        django_setup.migrate()
        _migrated.add(wanted)
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor), key=lambda name: name not in _REFERRING)
        for table in tables:
            if table not in _KEEP and not table.startswith("profile_"):
                cursor.execute(f'DELETE FROM "{table}"')


def use_database(url: str, limits: PostgresLimits | None = None) -> None:
    """From now on "default" is this database, in this thread and those that are made."""
    chosen = django_setup.database_settings(url, limits)
    known = connections.settings["default"]
    if all(known.get(name) == value for name, value in chosen.items()):
        return
    connections.close_all()
    settings.DATABASES["default"] = chosen
    connections.settings = connections.configure_settings(None)
    del connections["default"]


def _admin_settings() -> dict[str, Any]:
    from reco_svc.transport.admin.plane import django_settings

    # Real password hashes take a third of a second each.
    return {**django_settings(host="127.0.0.1"), "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
