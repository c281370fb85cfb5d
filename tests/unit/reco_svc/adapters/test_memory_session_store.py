"""What the memory adapter promises beyond the contract."""

from datetime import timedelta

from reco_svc.adapters.memory_session_store import MemorySessionStore
from reco_svc.domain.model import SessionStep
from tests.support.reco_stores import NOON

STEP = SessionStep("p1")


def test_the_least_recently_active_visitor_goes_first() -> None:
    sessions = MemorySessionStore(max_visitors=2)
    sessions.append({"v1": [STEP]}, NOON)
    sessions.append({"v2": [STEP]}, NOON)
    sessions.append({"v1": [STEP]}, NOON)
    sessions.append({"v3": [STEP]}, NOON)

    assert len(sessions) == 2
    assert [len(sessions.get(v, NOON)) for v in ("v1", "v2", "v3")] == [2, 0, 1]


def test_silence_is_configurable() -> None:
    sessions = MemorySessionStore(silence=timedelta(seconds=5))
    sessions.append({"v1": [STEP]}, NOON)

    assert list(sessions.get("v1", NOON + timedelta(seconds=5))) == [STEP]
    assert list(sessions.get("v1", NOON + timedelta(seconds=6))) == []
    assert len(sessions) == 0
