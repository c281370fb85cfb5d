"""What the memory adapter promises beyond the contract: it stays small, and remembers long enough."""

from datetime import timedelta

from reco_svc.adapters.memory_seen_events import MemorySeenEvents


def test_at_least_the_last_half_of_the_ids_is_remembered() -> None:
    seen = MemorySeenEvents(max_ids=100)
    ids = [f"e{n}" for n in range(1_000)]
    for start in range(0, 1_000, 10):
        assert all(seen.add_new(ids[start : start + 10]))

    assert not any(seen.add_new(ids[-50:]))
    assert all(seen.add_new(ids[:50]))


def test_ids_are_forgotten_in_time() -> None:
    now = [0.0]
    seen = MemorySeenEvents(max_ids=100, remember=timedelta(hours=24), monotonic=lambda: now[0])
    seen.add_new(["a"])
    now[0] = 12 * 3600.0
    assert list(seen.add_new(["a"])) == [False]

    now[0] += 1
    seen.add_new(["b"])  # the young half becomes the old one
    assert list(seen.add_new(["a"])) == [False]
    now[0] += 12 * 3600.0 + 1
    seen.add_new(["c"])
    assert list(seen.add_new(["a", "c"])) == [True, False]


def test_forgetting_reaches_both_halves() -> None:
    seen = MemorySeenEvents(max_ids=4)
    seen.add_new(["a", "b"])
    seen.add_new(["c"])
    seen.forget(["a", "c"])

    assert list(seen.add_new(["b", "c"])) == [False, True]
    assert list(seen.add_new(["a"])) == [True]


def test_it_works_with_room_for_a_single_id() -> None:
    seen = MemorySeenEvents(max_ids=1)

    assert [list(seen.add_new([e])) for e in ("a", "a", "b", "b")] == [[True], [False], [True], [False]]
