"""One suite over every adapter of ImportJobRepository and RelayCursor."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog_svc.app import CatalogStores
from catalog_svc.domain.model import ImportJob, ImportState, RejectedInput
from tests.support.catalog import LATER, NOON
from tests.support.catalog_stores import KINDS, new_stores

JOB = ImportJob("j1", "shöp.csv", "csv", ImportState.RUNNING, NOON, NOON, "host-a", total_bytes=10**10, read=7)


@pytest.fixture(params=KINDS)
def stores(request, tmp_path) -> Iterator[CatalogStores]:
    with new_stores(request.param, request, tmp_path) as opened:
        yield opened


def test_a_job_comes_back_as_it_was_saved(stores):
    assert stores.jobs.get("j1") is None
    stores.jobs.save(JOB)
    assert stores.jobs.get("j1") == JOB
    done = replace(JOB, state=ImportState.DONE, finished_at=LATER, error="x", rejected=3)
    stores.jobs.save(done)
    assert stores.jobs.get("j1") == done


def test_the_newest_jobs_come_first(stores):
    for n in range(4):
        stores.jobs.save(replace(JOB, job_id=f"j{n}", started_at=NOON + timedelta(minutes=n % 3)))
    assert [job.job_id for job in stores.jobs.latest(3)] == ["j2", "j1", "j3"]


def test_refused_lines_come_in_order_and_page_by_page(stores):
    lines = [RejectedInput(n, f"räw {n}", "why") for n in range(1, 8)]
    stores.jobs.save(JOB, lines[4:])
    stores.jobs.save(JOB, lines[:4])
    stores.jobs.save(replace(JOB, job_id="other"), lines[:1])
    assert stores.jobs.rejected("j1", after_line=0, limit=5) == lines[:5]
    assert stores.jobs.rejected("j1", after_line=5, limit=5) == lines[5:]
    assert stores.jobs.rejected("nope", after_line=0, limit=5) == []


def test_a_line_refused_twice_is_kept_once(stores):
    stores.jobs.save(JOB, [RejectedInput(1, "a", "first"), RejectedInput(1, "a", "again")])
    stores.jobs.save(JOB, [RejectedInput(1, "a", "later")])
    assert len(stores.jobs.rejected("j1", after_line=0, limit=5)) == 1


def test_unfinished_jobs_of_an_owner_and_stale_ones_are_interrupted(stores):
    for job in (
        JOB,
        replace(JOB, job_id="queued", state=ImportState.QUEUED),
        replace(JOB, job_id="done", state=ImportState.DONE),
        replace(JOB, job_id="elsewhere", owner="host-b"),
        replace(JOB, job_id="stale", owner="host-b", seen_at=NOON - timedelta(hours=1)),
    ):
        stores.jobs.save(job)
    assert stores.jobs.interrupt("host-a", stale_before=NOON, now=LATER) == 3
    states = {job.job_id: job.state.value for job in stores.jobs.latest(9)}
    assert states == {
        "j1": "interrupted",
        "queued": "interrupted",
        "done": "done",
        "elsewhere": "running",
        "stale": "interrupted",
    }
    assert stores.jobs.get("stale").finished_at == LATER


def test_the_cursor_moves_only_from_where_it_was_seen(stores):
    cursor = stores.cursor
    assert cursor.read() == 0
    assert cursor.advance(0, 5)
    assert not cursor.advance(0, 9)
    assert cursor.advance(5, 7)
    assert cursor.read() == 7
