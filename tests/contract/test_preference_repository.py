"""One suite over every adapter of PreferenceRepository and SegmentRepository."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from profile_svc.adapters.memory_profile_store import (
    MemoryPreferenceRepository,
    MemoryProfileStore,
    MemorySegmentRepository,
)
from profile_svc.adapters.sql_preference_repository import SqlPreferenceRepository
from profile_svc.adapters.sql_segment_repository import SqlSegmentRepository
from profile_svc.adapters.sql_store import open_engine, transaction
from profile_svc.adapters.sql_tables import metadata
from profile_svc.domain.model import ErasedPart, ErasureOrder, ErasureReceipt, ErasureState, Preferences, Price, Segment
from profile_svc.domain.ports import PreferenceRepository, SegmentRepository
from tests.support.profiles import NOON

FULL = Preferences(
    "v1",
    categories=("Home > Kitchen",),
    brands=("Åcme", "💥"),
    excluded_categories=("Toys",),
    price_min=Price(0.0, "EUR"),
    price_max=Price(19.99, "EUR"),
    opted_out=True,
)


_numbers = itertools.count()


@dataclass
class Stores:
    preferences: PreferenceRepository
    segments: SegmentRepository


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request, tmp_path) -> Iterator[Stores]:
    if request.param == "memory":
        store = MemoryProfileStore()
        yield Stores(MemoryPreferenceRepository(store), MemorySegmentRepository(store))
        return
    if request.param == "postgres":
        engine = open_engine(request.getfixturevalue("profile_postgres_url"))
        with transaction(engine) as db:
            for table in (t for name, t in metadata.tables.items() if name != "profile_feed"):
                db.execute(delete(table))
            db.execute(update(metadata.tables["profile_feed"]).values(position=0, touch_due=False))
    else:
        engine = open_engine(f"sqlite:///{tmp_path / 'profile.db'}")
    yield Stores(SqlPreferenceRepository(engine), SqlSegmentRepository(engine))
    engine.dispose()


@pytest.fixture
def repository(stores) -> PreferenceRepository:
    return stores.preferences


def put(repository: PreferenceRepository, preferences: Preferences, at=NOON) -> Preferences:
    return repository.change(
        preferences.visitor_id,
        at,
        lambda now: replace(preferences, revision=now.revision, updated_at=now.updated_at),
    )


def erase(repository: PreferenceRepository, visitor_id: str, at=NOON) -> int:
    return repository.erase(visitor_id, at, f"receipt-{next(_numbers)}")


def like(visitor_id: str, *brands: str) -> Preferences:
    return Preferences(visitor_id, brands=brands)


def feed(repository: PreferenceRepository, after: int = 0) -> list[tuple[str, bool]]:
    return [(c.visitor_id, c.preferences is not None) for c in repository.changes_after(after, limit=100)]


def test_what_was_stored_is_read_back(repository):
    made = put(repository, FULL)
    assert repository.get("v1") == made
    assert made == replace(FULL, revision=made.revision, updated_at=NOON)
    assert made.revision > 0


def test_an_unknown_visitor_is_none(repository):
    assert repository.get("v1") is None
    assert repository.count() == 0


def test_an_edit_sees_what_is_stored(repository):
    put(repository, like("v1", "Acme"))
    seen = []
    repository.change("v1", NOON, lambda now: seen.append(now) or now)
    assert seen == [repository.get("v1")]


def test_a_change_that_changes_nothing_keeps_revision_time_and_feed(repository):
    made = put(repository, FULL)
    again = put(repository, FULL, NOON + timedelta(hours=1))
    assert again == made
    assert repository.changes_after(made.revision, limit=10) == []


def test_an_error_in_an_edit_undoes_all(repository):
    def fail(_: Preferences) -> Preferences:
        raise ValueError("no")

    made = put(repository, like("v1", "Acme"))
    with pytest.raises(ValueError, match="no"):
        repository.change("v1", NOON, fail)
    assert repository.get("v1") == made


def test_the_feed_holds_each_visitor_once_at_the_last_change(repository):
    put(repository, like("v1", "Acme"))
    put(repository, like("v2", "Acme"))
    put(repository, like("v1", "Bolt"))
    changes = repository.changes_after(0, limit=10)
    assert [c.visitor_id for c in changes] == ["v2", "v1"]
    assert changes[1].preferences == repository.get("v1")
    assert [c.visitor_id for c in repository.changes_after(0, limit=1)] == ["v2"]
    assert repository.changes_after(changes[-1].revision, limit=10) == []


def test_an_erased_visitor_leaves_a_tombstone(repository):
    put(repository, FULL)
    end = repository.changes_after(0, limit=10)[-1].revision
    assert erase(repository, "v1") == 1
    assert repository.get("v1") is None
    assert repository.count() == 0
    assert repository.visitors(containing="", after_id="", limit=10) == []
    assert feed(repository, end) == [("v1", False)]


def test_erasing_again_or_an_unknown_visitor_changes_nothing(repository):
    put(repository, FULL)
    erase(repository, "v1")
    end = repository.changes_after(0, limit=10)[-1].revision
    assert erase(repository, "v1") == 0
    assert erase(repository, "v2") == 0
    assert feed(repository, end) == []


def test_an_old_tombstone_is_forgotten_and_the_id_with_it(repository):
    put(repository, FULL)
    erase(repository, "v1")
    assert repository.forget_tombstones(NOON) == 0
    assert repository.forget_tombstones(NOON + timedelta(seconds=1)) == 1
    assert feed(repository) == []


def test_one_who_comes_back_is_no_tombstone_any_more(repository):
    put(repository, FULL)
    erase(repository, "v1")
    back = put(repository, like("v1", "Bolt"))
    assert back.categories == ()
    assert feed(repository) == [("v1", True)]
    assert repository.forget_tombstones(NOON + timedelta(days=9)) == 0
    assert repository.get("v1") == back


def test_revisions_grow_across_an_erasure(repository):
    before = put(repository, FULL)
    erase(repository, "v1")
    assert put(repository, FULL).revision > before.revision


def test_visitors_come_by_id_in_code_point_order(repository):
    ids = ["b", "B", "a", "é", "z", "100%", "1000"]
    for visitor_id in ids:
        put(repository, like(visitor_id, "Acme"))
    found = [p.visitor_id for p in repository.visitors(containing="", after_id="", limit=100)]
    assert found == sorted(ids)
    assert [p.visitor_id for p in repository.visitors(containing="", after_id="a", limit=2)] == ["b", "z"]
    assert [p.visitor_id for p in repository.visitors(containing="b", after_id="", limit=9)] == ["B", "b"]
    assert [p.visitor_id for p in repository.visitors(containing="0%", after_id="", limit=9)] == ["100%"]


def test_touching_moves_every_visitor_to_the_end_and_keeps_revisions(repository):
    first, second = put(repository, like("v1", "Acme")), put(repository, like("v2", "Acme"))
    put(repository, like("v3", "Acme"))
    erase(repository, "v3")
    end = repository.changes_after(0, limit=10)[-1].revision
    assert repository.touch_all() == 2
    assert feed(repository, end) == [("v1", True), ("v2", True)]
    assert (repository.get("v1"), repository.get("v2")) == (first, second)


def test_receipts_are_kept_newest_first(repository):
    parts = (ErasedPart("reco", "session", 0, ErasureState.PENDING),)
    old, new = ErasureReceipt("r1", NOON, parts), ErasureReceipt("r2", NOON + timedelta(seconds=1), parts)
    repository.add_receipt("v1", old, settled=True)
    repository.add_receipt("v1", new, settled=True)
    assert repository.receipts("v1") == [new, old]
    assert repository.receipts("v2") == []


def test_an_order_stays_open_until_it_is_settled(repository):
    repository.erase("v2", NOON + timedelta(seconds=1), "r2")
    repository.erase("v1", NOON, "r1")
    later = NOON + timedelta(minutes=1)
    assert repository.open_orders(NOON, limit=9) == []
    first, second = ErasureOrder("r1", "v1", NOON), ErasureOrder("r2", "v2", NOON + timedelta(seconds=1))
    assert repository.open_orders(later, limit=9) == [first, second]
    assert repository.open_orders(later, limit=1) == [first]

    repository.add_receipt("v1", ErasureReceipt("r1", NOON, ()), settled=False)
    assert repository.open_orders(later, limit=9) == [first, second]
    repository.settle("r1")
    repository.settle("r1")
    repository.add_receipt("v2", ErasureReceipt("r2", NOON, ()), settled=True)
    assert repository.open_orders(later, limit=9) == []


def test_a_follower_of_the_feed_misses_nothing_while_threads_write(repository):
    writing, seen = [True], {}

    def write(worker: int) -> None:
        for n in range(10):
            put(repository, like(f"v{worker}-{n % 4}", f"b{n}"))
        if worker == 0:
            erase(repository, "v0-1")

    def follow() -> None:
        position, empty = 0, 0
        while empty < 2:
            empty += not writing[0]
            for change in repository.changes_after(position, limit=3):
                assert change.revision > position
                position, empty = change.revision, 0
                seen[change.visitor_id] = change.preferences

    with ThreadPoolExecutor(4) as pool:
        follower = pool.submit(follow)
        list(pool.map(write, range(3)))
        writing[0] = False
        follower.result(60)
    assert seen == {c.visitor_id: c.preferences for c in repository.changes_after(0, limit=100)}
    assert len(seen) == 12


def test_concurrent_changes_queue_up_and_none_is_lost(repository):
    def add(number: int) -> None:
        repository.change("v1", NOON, lambda now: replace(now, brands=(*now.brands, f"b{number}")))
        put(repository, like(f"w{number}", "Acme"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(20)))
    assert len(repository.get("v1").brands) == 20
    revisions = [c.revision for c in repository.changes_after(0, limit=100)]
    assert len(revisions) == 21
    assert revisions == sorted(set(revisions))


def test_a_store_answers_a_ping(repository):
    repository.ping()


def test_segments_come_by_name_and_are_replaced(stores):
    stores.segments.save(Segment("b", "B", "brands:b"))
    stores.segments.save(Segment("a", "A", "brands:a"))
    stores.segments.save(Segment("b", "B2", "brands:c"))
    assert stores.segments.all() == [Segment("a", "A", "brands:a"), Segment("b", "B2", "brands:c")]


def test_a_touch_is_due_until_it_is_done(stores):
    assert not stores.segments.touch_due()
    stores.segments.save(Segment("a", "A", "brands:a"))
    assert stores.segments.touch_due()
    stores.preferences.touch_all()
    assert not stores.segments.touch_due()
    stores.segments.save(Segment("a", "New title", "brands:a"))
    assert not stores.segments.touch_due()
    assert not stores.segments.delete("b")
    assert not stores.segments.touch_due()
    assert stores.segments.delete("a")
    assert stores.segments.touch_due()
