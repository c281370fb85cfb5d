"""One suite over every adapter of KeyStore, AuditTrail, SessionStore."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meshkit.errors import FailedPrecondition, NotFound, SettingsInvalid, Unavailable
from meshkit.postgres import GRACE_S, PostgresLimits
from meshkit.security.api_keys import StoredKey
from meshkit.security.audit import AuditEntry, AuditTrail, MemoryAuditTrail, SqlAuditTrail
from meshkit.security.key_store import KeyStore
from meshkit.security.memory_key_store import MemoryKeyStore
from meshkit.security.roles import Role, Scope
from meshkit.security.sessions import MemorySessionStore, Session, SessionStore, SqlSessionStore
from meshkit.security.sql_database import SecurityDatabase
from meshkit.security.sql_key_store import SqlKeyStore
from tests.support.servers import PostgresServer, started

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLACK_S = 3.0  # the machine may be busy


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[KeyStore, AuditTrail, SessionStore]]:
    if request.param == "memory":
        yield MemoryKeyStore(), MemoryAuditTrail(), MemorySessionStore()
        return
    url = f"sqlite:///{tmp_path}/keys.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    database = SecurityDatabase(url)
    yield SqlKeyStore(database), SqlAuditTrail(database), SqlSessionStore(database)
    database.close()


@pytest.fixture
def store(stores: tuple[KeyStore, AuditTrail, SessionStore]) -> KeyStore:
    return stores[0]


def key(key_id: str, name: str = "shop", **fields: object) -> StoredKey:
    made = StoredKey(key_id, name, Role.SHOP, frozenset({Scope.EVENTS_WRITE}), b"\0\xff" * 16, NOW, "test")
    return replace(made, **fields)  # type: ignore[arg-type]


def test_a_key_comes_back_as_it_was_kept(store: KeyStore) -> None:
    assert (store.all(), store.revision()) == ([], 0)
    kept = key("a", expires_at=NOW + HOUR)
    store.add(kept, max_live=2)
    assert list(store.all()) == [kept]


def test_keys_are_listed_by_creation(store: KeyStore) -> None:
    store.add(key("b", "one", created_at=NOW + HOUR), max_live=2)
    store.add(key("a", "two"), max_live=2)
    assert [k.key_id for k in store.all()] == ["a", "b"]


def test_every_change_moves_the_revision_and_use_does_not(store: KeyStore) -> None:
    seen = [store.revision()]
    store.add(key("a"), max_live=2)
    seen.append(store.revision())
    store.replace("a", NOW + HOUR, key("b"), max_live=2)
    seen.append(store.revision())
    store.revoke("a", NOW)
    seen.append(store.revision())
    assert seen == sorted(set(seen))
    store.touch({"a": NOW})
    assert store.revision() == seen[-1]


def test_ended_keys_do_not_count_as_live(store: KeyStore) -> None:
    store.add(key("a", expires_at=NOW), max_live=1)
    store.add(key("b"), max_live=1)
    with pytest.raises(FailedPrecondition) as refused:
        store.add(key("c"), max_live=1)
    assert refused.value.reason == "TOO_MANY_LIVE_KEYS"
    store.revoke("b", NOW)
    store.add(key("c"), max_live=1)


def test_a_refused_replacement_leaves_everything_as_it_was(store: KeyStore) -> None:
    store.add(key("a"), max_live=2)
    store.add(key("b"), max_live=2)
    before = list(store.all())
    with pytest.raises(FailedPrecondition):
        store.replace("a", NOW, key("c"), max_live=2)
    with pytest.raises(NotFound):
        store.replace("nothing", NOW, key("c", "other"), max_live=2)
    assert list(store.all()) == before


def test_revoking_again_keeps_the_first_time(store: KeyStore) -> None:
    store.add(key("a"), max_live=2)
    assert store.revoke("a", NOW).revoked_at == NOW
    assert store.revoke("a", NOW + HOUR).revoked_at == NOW
    with pytest.raises(NotFound):
        store.revoke("nothing", NOW)


def test_use_never_goes_back_in_time(store: KeyStore) -> None:
    store.add(key("a"), max_live=2)
    store.touch({"a": NOW + HOUR, "unknown": NOW})
    store.touch({"a": NOW})
    assert store.all()[0].last_used_at == NOW + HOUR


def test_two_issuers_at_once_never_leave_more_than_the_limit(store: KeyStore) -> None:
    barrier = threading.Barrier(6)

    def issue(number: int) -> None:
        barrier.wait()
        try:
            store.add(key(f"k{number}"), max_live=2)
        except FailedPrecondition:
            refused.append(number)

    refused: list[int] = []
    threads = [threading.Thread(target=issue, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(store.all()), len(refused)) == (2, 4)


def test_the_audit_trail_answers_the_newest_first(stores: tuple[KeyStore, AuditTrail, SessionStore]) -> None:
    entries = [AuditEntry(NOW + n * HOUR, "alice", "key.create", f"key:{n}", "done", "r1", "why") for n in range(3)]
    for entry in entries:
        stores[1].append(entry)
    assert list(stores[1].latest(2)) == [entries[2], entries[1]]


def test_a_database_that_is_none_is_unavailable_and_a_wrong_url_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "keys.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(Unavailable):
        SqlKeyStore(SecurityDatabase(f"sqlite:///{tmp_path}/keys.db")).all()
    for url in ("redis://x", "sqlite://", "nonsense"):
        with pytest.raises(SettingsInvalid, match="RECOMESH_KEYS_URL"):
            SecurityDatabase(url)


def test_a_session_is_found_until_it_is_removed_and_ended_ones_are_cleared(
    stores: tuple[KeyStore, AuditTrail, SessionStore],
) -> None:
    sessions = stores[2]
    ended = Session(b"\0" * 32, "", b"\1" * 32, 1_000.5)
    lives = Session(b"\xff" * 32, "k3v9", b"", 5e9)
    sessions.add(ended)
    assert sessions.find(ended.digest) == ended
    sessions.add(lives)
    assert (sessions.find(ended.digest), sessions.find(lives.digest)) == (None, lives)
    sessions.remove(lives.digest)
    sessions.remove(lives.digest)
    assert sessions.find(lives.digest) is None


def test_a_frozen_server_is_given_up_in_bounded_time_and_used_again_when_it_is_back() -> None:
    limits = PostgresLimits(connect_s=1, statement_s=1)
    with started(PostgresServer()) as server:
        database = SecurityDatabase(server.url, limits)
        store = SqlKeyStore(database)
        store.add(key("a"), max_live=2)
        server.freeze()
        try:
            for patience_s in (limits.statement_s + GRACE_S, limits.connect_s):  # the open connection, then a new one
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    store.all()
                assert time.monotonic() - began < patience_s + SLACK_S
        finally:
            server.thaw()
        assert [k.key_id for k in store.all()] == ["a"]
        database.close()
