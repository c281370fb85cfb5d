import sqlite3

import pytest

from meshkit.errors import SettingsInvalid, Unavailable
from profile_svc.adapters.sql_preference_repository import SqlPreferenceRepository
from profile_svc.adapters.sql_store import open_engine, transaction
from profile_svc.domain.model import Preferences
from tests.support.profiles import NOON


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "nonsense", "sqlite://", "", "postgresql://host", "sqlite+aiosqlite:///x"]
)
def test_another_kind_of_url_is_refused_by_the_name_of_its_variable(url):
    with pytest.raises(SettingsInvalid, match="RECOMESH_DATABASE_URL"):
        open_engine(url)


def test_a_second_start_keeps_the_data(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'p.db'}"
    first = open_engine(url)
    SqlPreferenceRepository(first).change("v1", NOON, lambda _: Preferences("v1", brands=("Acme",)))
    first.dispose()
    second = open_engine(url)
    assert SqlPreferenceRepository(second).get("v1").brands == ("Acme",)
    second.dispose()


def test_an_erased_id_is_gone_from_the_file_once_its_tombstone_is(tmp_path):
    path = tmp_path / "p.db"
    engine = open_engine(f"sqlite:///{path}")
    repository = SqlPreferenceRepository(engine)
    repository.change("visitor-with-a-name", NOON, lambda p: Preferences(p.visitor_id, brands=("Secretbrand",)))
    repository.erase("visitor-with-a-name", NOON, "r1")
    repository.settle("r1")
    repository.forget_tombstones(NOON.replace(year=2027))
    engine.dispose()
    sqlite3.connect(path).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    assert b"visitor-with-a-name" not in path.read_bytes()
    assert b"Secretbrand" not in path.read_bytes()


def test_a_damaged_database_is_an_absent_one(tmp_path):
    path = tmp_path / "p.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(Unavailable):
        open_engine(f"sqlite:///{path}")


def test_a_wrong_statement_is_not_taken_for_an_absent_store(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'p.db'}")
    with pytest.raises(Exception, match="UNIQUE"), transaction(engine) as db:  # noqa: PT012
        insert = "INSERT INTO profile_segments VALUES ('a', '', '')"
        db.exec_driver_sql(insert)
        db.exec_driver_sql(insert)
    engine.dispose()
