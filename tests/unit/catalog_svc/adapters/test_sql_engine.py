import threading
import time

import pytest

from catalog_svc.adapters.sql_engine import open_database
from catalog_svc.adapters.sql_product_repository import SqlProductRepository
from meshkit.errors import SettingsInvalid, Unavailable
from tests.support.catalog import NOON, product


def opened(path):
    repository = SqlProductRepository(open_database(f"sqlite:///{path}", variable="RECOMESH_CATALOG_URL"))
    repository.prepare()
    return repository


@pytest.mark.parametrize("url", ["mongodb://h/db", "sqlite://", "sqlite:///:memory:", "nonsense", "", "redis://h"])
def test_an_unknown_store_stops_the_start_and_names_the_variable(url):
    with pytest.raises(SettingsInvalid) as caught:
        open_database(url, variable="RECOMESH_CATALOG_URL")
    assert caught.value.message.startswith("RECOMESH_CATALOG_URL: ")
    assert "sqlite:///FILE" in caught.value.message


def test_a_file_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsInvalid, match="file/catalog"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'catalog.db'}", variable="X")


def test_products_survive_closing_and_opening(tmp_path):
    first = opened(tmp_path / "deep" / "c.db")
    first.upsert([product("a")], NOON)
    first.close()
    second = opened(tmp_path / "deep" / "c.db")
    assert second.revision() == 1
    assert second.get(["a"])
    second.close()


def test_a_store_that_was_taken_away_is_unavailable_until_it_is_back(tmp_path):
    path = tmp_path / "c.db"
    repository = opened(path)
    repository.upsert([product("a")], NOON)
    aside = tmp_path / "aside"
    aside.mkdir()
    moved = [(f, aside / f.name) for f in tmp_path.glob("c.db*")]
    for here, there in moved:
        here.rename(there)
    with pytest.raises(Unavailable) as caught:
        repository.ping()
    assert caught.value.part == "store"
    with pytest.raises(Unavailable):
        repository.upsert([product("b")], NOON)
    assert not path.exists()
    for here, there in moved:
        there.rename(here)
    repository.ping()
    assert repository.upsert([product("b")], NOON).created == 1
    repository.close()


def test_a_damaged_file_is_unavailable(tmp_path):
    path = tmp_path / "c.db"
    path.write_bytes(b"this is no database " * 500)
    repository = SqlProductRepository(open_database(f"sqlite:///{path}", variable="X"))
    with pytest.raises(Unavailable):
        repository.prepare()
    repository.close()


def test_an_error_inside_a_write_leaves_nothing_behind(tmp_path):
    repository = opened(tmp_path / "c.db")

    def fail() -> None:
        with repository._database.writing() as connection:
            connection.exec_driver_sql("UPDATE catalog_state SET revision = 99")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert repository.revision() == 0
    repository.close()


def test_readers_are_not_held_up_by_a_writer(tmp_path):
    repository = opened(tmp_path / "c.db")
    inside, leave = threading.Event(), threading.Event()

    def write() -> None:
        with repository._database.writing():
            inside.set()
            leave.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait(10)
    started = time.monotonic()
    assert repository.revision() == 0
    took = time.monotonic() - started
    leave.set()
    writer.join(10)
    repository.close()
    assert took < 3


def test_a_write_is_durable_when_it_is_acknowledged(tmp_path):
    repository = opened(tmp_path / "c.db")
    with repository._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    repository.close()
