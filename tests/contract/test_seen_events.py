"""What every SeenEvents keeps."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshkit.redis.link import RedisLink
from reco_svc.adapters.memory_seen_events import MemorySeenEvents
from reco_svc.adapters.redis_seen_events import RedisSeenEvents, SeenEventsTwice
from reco_svc.domain.ports import SeenEvents


@pytest.fixture(params=["memory", "redis", "both"])
def new_seen(request: pytest.FixtureRequest) -> Iterator[Callable[[], SeenEvents]]:
    def memory() -> SeenEvents:
        return MemorySeenEvents(max_ids=1_000)

    if request.param == "memory":
        yield memory
        return
    link = RedisLink(request.getfixturevalue("redis_server").url, budget_s=2.0)

    def shared() -> SeenEvents:
        link.call(lambda redis: redis.flushdb())
        redis = RedisSeenEvents(link, max_ids=1_000)
        return redis if request.param == "redis" else SeenEventsTwice(redis, memory())

    yield shared
    link.close()


@pytest.fixture
def seen(new_seen: Callable[[], SeenEvents]) -> SeenEvents:
    return new_seen()


def test_an_id_is_new_once(seen: SeenEvents) -> None:
    assert list(seen.add_new(["a", "b", "a"])) == [True, True, False]
    assert list(seen.add_new(["b", "c"])) == [False, True]
    assert list(seen.add_new([])) == []


def test_a_forgotten_id_is_new_again(seen: SeenEvents) -> None:
    seen.add_new(["a", "b"])
    seen.forget(["a", "never-seen"])

    assert list(seen.add_new(["a", "b"])) == [True, False]


def test_the_last_half_of_what_it_may_hold_is_remembered(seen: SeenEvents) -> None:
    ids = [f"e{n}" for n in range(3_000)]
    for start in range(0, 3_000, 100):
        assert all(seen.add_new(ids[start : start + 100]))

    assert not any(seen.add_new(ids[-500:]))
    assert sum(seen.add_new(ids[:1_000])) == 1_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from("abcdefghij"), max_size=5)), max_size=30))
def test_it_behaves_like_a_set(new_seen: Callable[[], SeenEvents], steps: list[tuple[bool, list[str]]]) -> None:
    seen, model = new_seen(), set[str]()
    for adds, ids in steps:
        if adds:
            for event_id in ids:
                assert list(seen.add_new([event_id])) == [event_id not in model]
                model.add(event_id)
        else:
            seen.forget(ids)
            model -= set(ids)
