"""Writing, importing and erasing: the use cases in front of the log."""

import pytest

from meshkit.errors import Unavailable
from reco_svc.adapters.memory_session_store import MemorySessionStore
from reco_svc.domain.model import SessionStep
from reco_svc.service.erase_visitor import EraseVisitor
from reco_svc.service.import_interactions import ImportInteractions
from reco_svc.service.reported_event import ReportedEvent
from reco_svc.service.write_interactions import WriteInteractions, WriteReport
from tests.support.reco_stores import NOON, MemoryInteractionLog, interaction


def test_a_batch_that_is_delivered_twice_is_written_once() -> None:
    log = MemoryInteractionLog()
    write = WriteInteractions(log)
    batch = [interaction("e1"), interaction("e2")]

    assert write(batch) == WriteReport(written=2, duplicate=0)
    assert write(batch) == WriteReport(written=0, duplicate=2)
    assert log.count() == 2


def test_an_import_adds_up_its_chunks_and_lists_what_it_refused() -> None:
    log = MemoryInteractionLog()
    running = ImportInteractions(log, clock=lambda: NOON)
    running.add([ReportedEvent("a", 6, "v1", "p1", 1_291_190_760_000_000), ReportedEvent("b", 6, "v1", "")])
    running.add([ReportedEvent("a", 6, "v1", "p1"), ReportedEvent("c", 1, "v1", "p2")])
    running.add([])

    report = running.report
    assert (report.read, report.written, report.duplicate, report.rejected_count) == (4, 2, 1, 1)
    assert [(v.event_id, v.reason) for v in report.rejected] == [
        ("b", "product_id: 1 to 128 bytes without control characters")
    ]
    assert log.rows["a"].at.year == 2010


def test_an_import_shows_the_first_thousand_refused() -> None:
    running = ImportInteractions(MemoryInteractionLog(), clock=lambda: NOON)
    for _ in range(3):
        running.add([ReportedEvent(f"e{n}", 0, "v1", "p1") for n in range(500)])

    assert (len(running.report.rejected), running.report.rejected_count) == (1_000, 1_500)


def test_an_import_that_is_run_again_writes_nothing_twice() -> None:
    log = MemoryInteractionLog()
    for _ in range(2):
        running = ImportInteractions(log, clock=lambda: NOON)
        running.add([ReportedEvent("a", 6, "v1", "p1", 0)])

    assert (running.report.written, running.report.duplicate, log.count()) == (0, 1, 1)


def test_erasing_a_visitor_empties_session_and_log_and_stops_what_still_waits() -> None:
    log, sessions = MemoryInteractionLog(), MemorySessionStore()
    log.append([interaction("e1"), interaction("other", visitor_id="v2")])
    sessions.append({"v1": [SessionStep("p1"), SessionStep("p2")]}, NOON)
    erase = EraseVisitor(log, sessions, clock=lambda: NOON)

    assert erase("v1") == {"session": 2, "interactions": 1}
    assert erase("v1") == {"session": 0, "interactions": 0}
    assert WriteInteractions(log)([interaction("queued")]) == WriteReport(0, 1)
    assert list(log.rows) == ["other"]


def test_the_session_stays_while_the_log_is_away_so_that_the_erasure_is_asked_for_again() -> None:
    log, sessions = MemoryInteractionLog(), MemorySessionStore()
    sessions.append({"v1": [SessionStep("p1")]}, NOON)
    log.away = True

    with pytest.raises(Unavailable):
        EraseVisitor(log, sessions, clock=lambda: NOON)("v1")
    assert len(sessions.get("v1", NOON)) == 1
