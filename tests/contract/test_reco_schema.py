"""The recommender's tables are what its migrations make, from nothing and from the version before."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from reco_svc.adapters import django_setup
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from tests.support.reco_database import fresh_database, use_database
from tests.support.reco_stores import NOON, interaction

NOW = datetime.now(UTC)
_OLD_ROW = (
    "INSERT INTO reco_interaction (event_id, type, visitor_id, product_id, at_us, quantity, price, currency, order_id,"
    " recommendation_id, position, placement, query, session_id)"
    " VALUES (%s, 1, 'v1', 'p1', %s, 1, NULL, '', '', '', NULL, '', '', '')"
)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest, open_reco_database: Callable[[str], None]) -> str:
    open_reco_database(request.param)
    return str(request.param)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Nothing in it, no table either."""
    fresh_database()  # Django is configured
    if request.param == "postgres":
        use_database(request.getfixturevalue("postgres").new_database())
    else:
        use_database(f"sqlite:///{tmp_path}/old.db")
    yield request.param
    fresh_database()


def _partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class p ON p.oid = inhparent"
            " WHERE p.relname = 'reco_interaction' ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def _rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_no_migration_is_missing(kind: str) -> None:
    call_command("makemigrations", django_setup.LABEL, check_changes=True, dry_run=True, verbosity=0)


def test_migrating_again_changes_nothing(kind: str) -> None:
    django_setup.migrate()


def test_django_finds_nothing_wrong(kind: str) -> None:
    call_command("check", fail_level="WARNING")


def test_data_of_the_version_before_are_there_after_a_migration(empty_database: str) -> None:
    MigrationExecutor(connection).migrate([(django_setup.LABEL, "0001_initial")])
    moments = [datetime(2010, 12, 1, 8, 26, tzinfo=UTC), NOW - timedelta(days=40), NOW]
    with connection.cursor() as cursor:
        for n, at in enumerate(moments):
            cursor.execute(_OLD_ROW, [f"e{n}", int(at.timestamp() * 1_000_000)])

    django_setup.migrate()

    log = DjangoInteractionLog()
    assert [i.event_id for i in log.recent(datetime(2000, 1, 1, tzinfo=UTC))] == ["e0", "e1", "e2"]
    assert log.append([interaction("e0", at=NOW), interaction("e9", at=NOW)]).inserted == {"e9"}
    assert log.count() == 4


def test_the_log_in_postgresql_has_a_partition_for_this_month_and_those_to_come(
    open_reco_database: Callable[[str], None],
) -> None:
    open_reco_database("postgres")
    later = [(NOW.replace(day=1) + timedelta(days=32 * n)) for n in range(3)]

    assert {f"reco_interaction_{at:%Y_%m}" for at in later} <= set(_partitions())

    log = DjangoInteractionLog()
    log.append([interaction("now", at=NOW), interaction("long ago", at=datetime(1999, 1, 1, tzinfo=UTC))])
    assert _rows_in(f"reco_interaction_{NOW:%Y_%m}") == 1
    assert _rows_in("reco_interaction_default") == 1


def test_an_imported_month_gets_a_partition_of_its_own_and_can_be_dropped_again(
    open_reco_database: Callable[[str], None],
) -> None:
    open_reco_database("postgres")
    log = DjangoInteractionLog()
    old = datetime(2010, 12, 1, tzinfo=UTC)
    log.append([interaction(f"e{n}", at=old + timedelta(minutes=n)) for n in range(1_200)])
    log.append([interaction("stray", at=old - timedelta(days=900)), interaction("new", at=NOON)])
    before = [i.event_id for i in log.recent(datetime(2000, 1, 1, tzinfo=UTC))]

    log.prepare(NOW)

    assert _rows_in("reco_interaction_2010_12") == 1_200
    assert [i.event_id for i in log.recent(datetime(2000, 1, 1, tzinfo=UTC))] == before
    assert log.append([interaction("e7", at=old)]).duplicate == 1

    assert log.forget_before(datetime(2011, 1, 1, tzinfo=UTC)) == 1_201
    assert "reco_interaction_2010_12" not in _partitions()
    assert (log.count(), _rows_in("reco_event_key"), _rows_in("reco_hourly_count")) == (1, 1, 1)


def test_a_drop_that_was_interrupted_is_finished_by_the_next(open_reco_database: Callable[[str], None]) -> None:
    open_reco_database("postgres")
    log = DjangoInteractionLog()
    log.append([interaction("e1", at=NOW)])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE reco_dropped_2011_01 (LIKE reco_interaction INCLUDING ALL)")
        cursor.execute("INSERT INTO reco_dropped_2011_01 SELECT * FROM reco_interaction")

    assert log.forget_before(datetime(2011, 3, 1, tzinfo=UTC)) == 1
    assert _rows_in("reco_event_key") == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('reco_dropped_2011_01')")
        assert cursor.fetchone() == (None,)
