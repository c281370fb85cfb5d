"""Reading database URLs and keeping the secret; what needs a database is in the contract tests."""

from pathlib import Path

import pytest

from meshkit.errors import SettingsInvalid
from meshkit.postgres import PostgresLimits
from reco_svc.adapters.django_setup import database_settings, secret_key


def test_a_sqlite_url_names_a_file() -> None:
    settings = database_settings("sqlite:////srv/re%20co/reco.db")

    assert settings["ENGINE"] == "django.db.backends.sqlite3"
    assert settings["NAME"] == "/srv/re%20co/reco.db"
    assert "synchronous=FULL" in settings["OPTIONS"]["init_command"]
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_postgresql_url_is_all_it_takes() -> None:
    settings = database_settings("postgresql://re%40co:p%2Fw@db.example:6432/mesh?sslmode=require")

    assert {name: settings[name] for name in ("ENGINE", "USER", "PASSWORD", "HOST", "PORT", "NAME", "OPTIONS")} == {
        "ENGINE": "reco_svc.adapters.pooled_postgresql",
        "USER": "re@co",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6432",
        "NAME": "mesh",
        "OPTIONS": {"sslmode": "require", "limits": PostgresLimits()},
    }


@pytest.mark.parametrize(
    "url",
    [
        "",
        "reco.db",
        "sqlite://reco.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "mysql://h/db",
        "postgresql://h",
        "postgresql://h:port/db",
        "redis://",
    ],
)
def test_another_url_is_refused_with_what_is_allowed(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="RECOMESH_DATABASE_URL: sqlite:///FILE or postgresql://"):
        database_settings(url)


def test_a_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(SettingsInvalid) as error:
        database_settings("mysql://user:hunter2@h/db")

    assert "hunter2" not in error.value.message


def test_the_secret_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "new"
    made = secret_key(home)

    assert secret_key(home) == made
    assert len(made) >= 50
    assert [(p.name, p.stat().st_mode & 0o777) for p in home.iterdir()] == [("reco_secret_key", 0o600)]
