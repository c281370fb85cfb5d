"""Django's ORM without a project: configured in code, by the composition root of a process.

    configure("sqlite:////srv/recomesh/reco.db", home)
    migrate()

Everything else of the ORM (`reco_svc.orm.models`, the `django_*` adapters' constructors) works only after `configure`.
`sqlite:///FILE` and `postgresql://USER:PASSWORD@HOST:PORT/NAME` are understood; the SQL is the same for both.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django
import structlog
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from meshkit.errors import SettingsInvalid, Unavailable
from meshkit.postgres import PostgresLimits, unhurried
from meshkit.secret_files import kept_secret
from reco_svc.adapters.django_months import prepare_months
from reco_svc.adapters.django_session import translated
from reco_svc.orm.apps import LABEL

log = structlog.get_logger()
SECRET_FILE = "reco_secret_key"
BUSY_TIMEOUT_S = 5
_ADVISORY_LOCK = 0x5EC0_4E5B  # any number that nobody else on the database server uses
_PRAGMAS = (
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=8000; PRAGMA journal_size_limit=67108864;"
    " PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456"
)


def configure(
    database_url: str,
    home: Path,
    *,
    limits: PostgresLimits | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Sets Django up for one process; a second call with the same database changes nothing.

    `limits` hold for PostgreSQL. `extra` are further Django settings (those of the admin plane); its INSTALLED_APPS
    come after the app of the ORM.
    SettingsInvalid for a URL that is not understood, or a second call with another database.
    """
    database = database_settings(database_url, limits)
    if settings.configured:
        known = settings.DATABASES["default"]  # Django has added its defaults
        if any(known.get(name) != value for name, value in database.items()):
            raise SettingsInvalid("RECOMESH_DATABASE_URL: this process already uses another database")
        return
    extra = dict(extra or {})
    apps = ["reco_svc.orm.apps.RecoStoreConfig", *extra.pop("INSTALLED_APPS", ())]
    settings.configure(
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=apps,
        LOGGING_CONFIG=None,  # meshkit.logs has configured logging
        SECRET_KEY=secret_key(home),
        TIME_ZONE="UTC",
        USE_TZ=True,
        **extra,
    )
    django.setup()


def migrate() -> None:
    """Brings the schema up to date. Processes that start at once wait for each other. Unavailable when it is away."""
    with translated(), _alone():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
        if connection.vendor == "postgresql":
            try:
                prepare_months(datetime.now(UTC))
            except Unavailable as error:  # a long reader is in the way; the default partition takes all till next time
                log.warning("months_not_prepared", error=error.message)
    connection.close()


def database_settings(url: str, limits: PostgresLimits | None = None) -> dict[str, Any]:
    """Django's form of a database URL. SettingsInvalid for one that is not understood."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _not_understood(url) from None
    if parts.scheme == "sqlite":
        return _sqlite(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise _not_understood(url)
    return {
        "ENGINE": "reco_svc.adapters.pooled_postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 0,  # "closing" gives it back to the pool
        "OPTIONS": {**dict(parse_qsl(parts.query)), "limits": limits or PostgresLimits()},
    }


def secret_key(home: Path) -> str:
    """What signs admin sessions: made once, kept in `home` (mode 0600). Safe for several processes at once."""
    return kept_secret(home, SECRET_FILE, lambda: secrets.token_urlsafe(48))


def _sqlite(url: str) -> dict[str, Any]:
    name = url.removeprefix("sqlite:///")
    if not url.startswith("sqlite:///") or not name or name == ":memory:":
        raise _not_understood(url)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(name).resolve()),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": BUSY_TIMEOUT_S, "transaction_mode": "IMMEDIATE", "init_command": _PRAGMAS},
    }


def _not_understood(url: str) -> SettingsInvalid:
    scheme = url.partition("://")[0] if "://" in url else url[:40]
    return SettingsInvalid(
        f"RECOMESH_DATABASE_URL: sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME, not {scheme!r}"
    )


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: a file lock beside a SQLite file, an advisory lock in PostgreSQL."""
    if connection.vendor == "sqlite":
        database = Path(settings.DATABASES["default"]["NAME"])
        database.parent.mkdir(parents=True, exist_ok=True)
        with database.with_name(f"{database.name}.migrate-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    connection.ensure_connection()
    with unhurried(connection.connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])


__all__ = ["LABEL", "configure", "database_settings", "migrate", "secret_key"]
