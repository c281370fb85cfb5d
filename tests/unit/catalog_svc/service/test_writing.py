import json
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog_svc.adapters.memory_import_jobs import MemoryImportJobRepository
from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.adapters.memory_relay_cursor import MemoryRelayCursor
from catalog_svc.domain.model import ImportState, Rejection
from catalog_svc.service.delete_products import delete_products
from catalog_svc.service.import_jobs import ImportRun, InputLine, as_seen, get_job, latest_jobs, new_job, run_import
from catalog_svc.service.import_products import ImportTotals, store_batch
from catalog_svc.service.relay_changes import relay_changes
from catalog_svc.service.upsert_products import upsert_products
from meshkit.broker.memory_broker import MemoryBroker
from meshkit.errors import InvalidArgument, NotFound, Unavailable
from meshkit.topics import PRODUCT_CHANGED
from tests.support.catalog import LATER, NOON, product


@pytest.fixture
def repository() -> MemoryProductRepository:
    return MemoryProductRepository()


@pytest.fixture
def jobs() -> MemoryImportJobRepository:
    return MemoryImportJobRepository()


# -- upsert and delete


def test_good_products_are_stored_even_if_others_are_refused(repository):
    batch = [product("a"), product("b", price=-1.0, currency="EUR"), product("c")]
    done = upsert_products(repository, enumerate(batch, 40), NOON)
    assert (done.written.created, done.written.revision) == (2, 2)
    assert [(r.index, r.product_id, r.field) for r in done.rejected] == [(41, "b", "price")]


def test_a_batch_of_wrong_products_writes_nothing(repository):
    repository.upsert([product("a")], NOON)
    done = upsert_products(repository, [(0, product(""))], NOON)
    assert done.written.revision == 1
    assert len(done.rejected) == 1


def test_unknown_and_impossible_ids_are_reported_in_order(repository):
    repository.upsert([product("a"), product("b")], NOON)
    done = delete_products(repository, ["x", "a", "", "a", "y\x00", "b"], NOON)
    assert (done.deleted, list(done.unknown_ids)) == (2, ["x", "", "y\x00"])


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_deletion_is_bounded(repository, count):
    with pytest.raises(InvalidArgument):
        delete_products(repository, [str(n) for n in range(count)], NOON)


# -- import


def test_an_import_sums_its_batches(repository):
    totals = ImportTotals()
    store_batch(repository, totals, [(0, product("a")), (2, product("b"))], [Rejection(1, "x", "price", "bad")], NOON)
    refused = store_batch(repository, totals, [(3, product("a")), (4, product("", "no id"))], [], NOON)
    assert [r.index for r in refused] == [4]
    assert (totals.read, totals.created, totals.unchanged, totals.rejected_count) == (5, 2, 1, 2)
    assert [r.index for r in totals.rejected] == [1, 4]


def test_only_the_first_thousand_refused_products_are_listed(repository):
    totals = ImportTotals()
    for start in range(0, 3_000, 600):
        store_batch(repository, totals, [], [Rejection(start + n, "", "", "bad") for n in range(600)], NOON)
    assert totals.rejected_count == 3_000
    assert [r.index for r in totals.rejected] == list(range(1_000))


def line(number, **fields):
    return InputLine(number, lambda: f"line {number}", product(f"p{number}", **fields))


def wrong_line(number):
    return InputLine(number, lambda: f"line {number}", None, "broken")


def run_of(repository, jobs, **changes):
    run = ImportRun(
        products=repository,
        jobs=jobs,
        clock=lambda: NOON,
        changed=lambda: None,
        done_bytes=lambda: 50,
        stopped=lambda: False,
    )
    return replace(run, **changes)


def queued(jobs):
    return new_job(jobs, filename="f.csv", format="csv", total_bytes=100, owner="me", now=NOON)


def test_a_job_stores_its_file_and_keeps_refused_lines(repository, jobs):
    job = queued(jobs)
    assert jobs.get(job.job_id).state is ImportState.QUEUED
    lines = [line(1), wrong_line(2), line(3, tags=("",)), line(5)]
    done = run_import(run_of(repository, jobs), job, lambda: lines)
    assert done == jobs.get(job.job_id)
    assert (done.state, done.read, done.created, done.rejected) == (ImportState.DONE, 4, 2, 2)
    assert done.done_bytes == 100
    assert [(r.line, r.raw, r.reason) for r in jobs.rejected(job.job_id, after_line=0, limit=9)] == [
        (2, "line 2", "broken"),
        (3, "line 3", "tags[0]: must not be empty"),
    ]


def test_a_job_can_be_watched_after_every_thousand_lines(repository, jobs):
    seen = []

    class Watched(MemoryImportJobRepository):
        def save(self, job, rejected=()):
            seen.append((job.state, job.read))
            super().save(job, rejected)

    watched = Watched()
    run_import(run_of(repository, watched), queued(watched), lambda: (line(n) for n in range(2_500)))
    assert [read for state, read in seen if state is ImportState.RUNNING] == [0, 1_000, 2_000, 2_500]


def test_a_stopped_job_is_interrupted_and_keeps_what_it_stored(repository, jobs):
    done = run_import(
        run_of(repository, jobs, stopped=lambda: True), queued(jobs), lambda: (line(n) for n in range(2_500))
    )
    assert (done.state, done.created, len(repository.latest_changes(9_999))) == (ImportState.INTERRUPTED, 1_000, 1_000)
    again = run_import(run_of(repository, jobs), queued(jobs), lambda: (line(n) for n in range(2_500)))
    assert (again.state, again.created, again.unchanged) == (ImportState.DONE, 1_500, 1_000)


def test_a_file_of_another_format_fails_its_job(repository, jobs):
    def lines():
        yield line(1)
        raise InvalidArgument.of("file", "is no feed")

    done = run_import(run_of(repository, jobs), queued(jobs), lines)
    assert (done.state, done.error) == (ImportState.FAILED, "file: is no feed")


def test_a_job_whose_store_goes_away_says_so(repository, jobs):
    class Gone(MemoryProductRepository):
        def upsert(self, products, now):
            raise Unavailable("store")

    done = run_import(run_of(Gone(), jobs), queued(jobs), lambda: [line(1)])
    assert (done.state, done.error) == (ImportState.FAILED, "store is away")


def test_a_silent_job_is_shown_as_interrupted(jobs):
    job = replace(queued(jobs), state=ImportState.RUNNING)
    assert as_seen(job, NOON + timedelta(seconds=59)).state is ImportState.RUNNING
    assert as_seen(job, NOON + timedelta(seconds=61)).state is ImportState.INTERRUPTED


def test_jobs_are_listed_newest_first_and_found_by_id(jobs):
    old = queued(jobs)
    new = new_job(jobs, filename="g", format="auto", total_bytes=1, owner="me", now=LATER)
    assert [job.job_id for job in latest_jobs(jobs, 9, LATER)] == [new.job_id, old.job_id]
    assert get_job(jobs, old.job_id, NOON) == old
    for unknown in ("nope", "x" * 1_000, "\x00"):
        with pytest.raises(NotFound):
            get_job(jobs, unknown, NOON)


# -- relay


def published(broker):
    got = broker.receive(PRODUCT_CHANGED, limit=1_000, wait_s=0)
    return [json.loads(delivery.message.body) for delivery in got]


def test_changes_are_published_once_in_groups(repository):
    broker, cursor = MemoryBroker(), MemoryRelayCursor()
    repository.upsert([product(f"p{n:03}") for n in range(450)], NOON)
    repository.delete(["p000"], NOON)
    assert relay_changes(repository, cursor, broker) == 450
    assert relay_changes(repository, cursor, broker) == 0
    bodies = published(broker)
    assert [len(body["product_ids"]) for body in bodies] == [200, 200, 50]
    assert bodies[-1]["revision"] == cursor.read() == 451
    assert bodies[-1]["product_ids"][-1] == "p000"


def test_changes_wait_while_the_queue_is_away(repository):
    class Gone(MemoryBroker):
        def publish(self, messages):
            raise Unavailable("queue")

    cursor = MemoryRelayCursor()
    repository.upsert([product("a")], NOON)
    with pytest.raises(Unavailable):
        relay_changes(repository, cursor, Gone())
    assert cursor.read() == 0
    broker = MemoryBroker()
    assert relay_changes(repository, cursor, broker) == 1
    assert published(broker) == [{"product_ids": ["a"], "revision": 1}]
