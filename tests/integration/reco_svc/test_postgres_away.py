"""The recommender's stores while PostgreSQL is killed, frozen and started again."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from django.db import connection

from meshkit.errors import Unavailable
from meshkit.postgres import GRACE_S, PostgresLimits
from reco_svc.adapters import django_setup
from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.adapters.django_session import reading, writing
from tests.support.reco_database import fresh_database, use_database
from tests.support.reco_stores import interaction
from tests.support.servers import PostgresServer, started

LIMITS = PostgresLimits(connect_s=1, statement_s=1, lock_s=0.3, pool_size=2, pool_wait_s=0.3)
SLACK_S = 3.0  # the machine may be busy


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with started(PostgresServer()) as made:
        assert isinstance(made, PostgresServer)
        yield made


@pytest.fixture
def log(server: PostgresServer) -> Iterator[DjangoInteractionLog]:
    fresh_database()
    use_database(server.new_database(), LIMITS)
    django_setup.migrate()
    yield DjangoInteractionLog()
    fresh_database()


def test_a_restart_of_the_server_costs_no_error(server: PostgresServer, log: DjangoInteractionLog) -> None:
    log.append([interaction("before")])
    server.shut_down()
    server.start()

    log.append([interaction("after")])
    assert log.count() == 2


def test_a_killed_server_is_unavailable_until_it_is_back(server: PostgresServer, log: DjangoInteractionLog) -> None:
    log.append([interaction("before")])
    server.kill()

    for _ in range(3):  # one more than the pool holds: no failure keeps a connection
        with pytest.raises(Unavailable, match="the database is away"):
            log.append([interaction("lost")])

    server.start()
    assert log.append([interaction("after")]).inserted == {"after"}
    assert log.count() == 2


def test_a_frozen_server_is_unavailable_within_the_timeout(server: PostgresServer, log: DjangoInteractionLog) -> None:
    log.append([interaction("before")])
    server.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer within 2 s"):
            log.append([interaction("lost")])
        assert time.monotonic() - began < LIMITS.statement_s + GRACE_S + SLACK_S
        with pytest.raises(Unavailable, match="did not answer within 1 s"):  # a new connection is not let in either
            log.count()
    finally:
        server.thaw()

    log.append([interaction("after")])
    assert log.count() in (2, 3)  # the frozen server may have carried out what it had received


def test_a_statement_that_takes_too_long_is_ended(log: DjangoInteractionLog) -> None:
    with pytest.raises(Unavailable, match="statement timeout"), reading() as cursor:
        cursor.execute("SELECT pg_sleep(30)")

    assert log.count() == 0


def test_a_lock_is_not_waited_for_for_ever(server: PostgresServer, log: DjangoInteractionLog) -> None:
    other = psycopg2.connect(server.url.replace("/postgres", f"/{connection.settings_dict['NAME']}"))
    try:
        other.cursor().execute("LOCK TABLE reco_interaction IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="lock timeout"):
            log.append([interaction("e1")])
    finally:
        other.close()

    assert log.append([interaction("e1")]).inserted == {"e1"}


def test_no_more_connections_than_the_pool_allows(log: DjangoInteractionLog) -> None:
    def hold(_: int) -> str:
        try:
            with writing() as cursor:
                cursor.execute("SELECT pg_sleep(0.8)")
        except Unavailable as error:
            return error.message
        return "done"

    with ThreadPoolExecutor(3) as threads:
        told = list(threads.map(hold, range(3)))

    (refused,) = [message for message in told if message != "done"]
    assert "all 2 connections (RECOMESH_DATABASE_POOL_SIZE) were in use" in refused
