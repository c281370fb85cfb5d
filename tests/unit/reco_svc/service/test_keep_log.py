"""Keeping the interaction log."""

from datetime import UTC, datetime, timedelta

from reco_svc.service.keep_log import KeepLog
from tests.support.reco_stores import NOON, MemoryInteractionLog, interaction


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def _log() -> MemoryInteractionLog:
    log = MemoryInteractionLog()
    log.append([interaction("old", at=datetime(2025, 1, 1, tzinfo=UTC)), interaction("new")])
    return log


def test_months_older_than_the_retention_go_and_the_rest_stays() -> None:
    log = _log()

    assert KeepLog(log, 365, Clock())()

    assert list(log.rows) == ["new"]


def test_without_a_retention_everything_stays() -> None:
    log = _log()

    assert KeepLog(log, 0, Clock())()

    assert len(log.rows) == 2


def test_it_is_done_every_hour_and_a_minute_after_the_store_was_away() -> None:
    log, clock = _log(), Clock()
    keep = KeepLog(log, 365, clock)

    log.away = True
    assert not keep()
    log.away = False
    assert not keep()
    clock.now += timedelta(minutes=1)
    assert keep()
    clock.now += timedelta(minutes=59)
    assert not keep()
    clock.now += timedelta(minutes=1)
    assert keep()
