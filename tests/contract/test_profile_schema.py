"""The tables of the profiles are what their migrations make, from nothing and from the version before."""

from pathlib import Path

import alembic.command
import alembic.config
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from profile_svc.adapters.sql_preference_repository import SqlPreferenceRepository
from profile_svc.adapters.sql_store import MIGRATIONS, open_engine
from profile_svc.adapters.sql_tables import metadata
from tests.support.profiles import NOON

_OLD_ROWS = (
    "INSERT INTO profile_visitors (visitor_hash, visitor_id, position, revision, updated_at, categories, brands,"
    " excluded_categories, currency, opted_out) VALUES ('{hash}', 'v1', 7, 7, 0, '[]', '[\"Acme\"]', '[]', '', {no})",
    "UPDATE profile_feed SET position = 7",
)
_HASH = "3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe"  # of "v1"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").new_database())
    return f"sqlite:///{tmp_path / 'profile.db'}"


def _migrate_to(url: str, revision: str, *statements: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, revision)
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_migrations_make_the_tables_that_the_code_describes(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "profile_alembic_version"})
        found = compare_metadata(context, metadata)
    engine.dispose()

    ours = [d for d in found if d[0] not in ("remove_constraint", "add_constraint")]
    assert ours == []


def test_data_of_the_version_before_are_there_after_a_migration(url: str) -> None:
    no = "false" if url.startswith("postgresql") else "0"
    _migrate_to(url, "0001", *(s.replace("{hash}", _HASH).replace("{no}", no) for s in _OLD_ROWS))

    engine = open_engine(url)
    repository = SqlPreferenceRepository(engine)
    found = repository.get("v1")
    assert found is not None
    assert (found.brands, found.revision) == (("Acme",), 7)
    assert repository.erase("v1", NOON, "r1") == 1
    assert [c.revision for c in repository.changes_after(7, limit=9)] == [8]
    engine.dispose()


def test_a_second_start_changes_nothing(url: str) -> None:
    for _ in range(2):
        open_engine(url).dispose()
