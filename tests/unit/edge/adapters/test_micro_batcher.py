"""Requests that wait together share one call."""

import asyncio
from collections.abc import Sequence
from unittest.mock import MagicMock

import pytest

from edge.adapters.call_pace import CallPace
from edge.adapters.micro_batcher import SETTLED_AT_ONCE, MicroBatcher
from meshkit import context
from meshkit.errors import DeadlineExceeded, InvalidArgument, RecomeshError, Unavailable


class Upstream:
    """Doubles numbers; holds each call until it is let go."""

    def __init__(self, *, held: bool = False) -> None:
        self.calls: list[list[int]] = []
        self.running = 0
        self.most_running = 0
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()
        self.error: RecomeshError | None = None
        self.time_left: list[float | None] = []
        if not held:
            self.gate.set()

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int | RecomeshError]:
        self.calls.append(list(numbers))
        self.asked.set()
        self.time_left.append(context.time_left_s())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self.gate.wait()
        self.running -= 1
        if self.error is not None:
            raise self.error
        if -1 in numbers and len(numbers) > 1:
            raise InvalidArgument.of("number", "one of them is -1")
        if -1 in numbers:
            raise InvalidArgument.of("number", "is -1")
        return [RecomeshError("odd") if n % 2 else n * 2 for n in numbers]


async def test_requests_of_one_turn_share_a_call() -> None:
    upstream = Upstream()
    batcher = MicroBatcher[int, int]("part", upstream)
    assert await asyncio.gather(*(batcher.submit(n) for n in (2, 4, 6))) == [4, 8, 12]
    assert upstream.calls == [[2, 4, 6]]


async def test_the_loop_turns_between_the_answers_of_a_large_batch() -> None:
    batcher = MicroBatcher[int, int]("part", Upstream())
    answered_by_turn: list[int] = []
    asked = [asyncio.ensure_future(batcher.submit(2 * n)) for n in range(3 * SETTLED_AT_ONCE)]
    while not all(one.done() for one in asked):
        await asyncio.sleep(0)
        answered_by_turn.append(sum(one.done() for one in asked))
    assert [one.result() for one in asked] == [4 * n for n in range(3 * SETTLED_AT_ONCE)]
    assert {0, SETTLED_AT_ONCE, 2 * SETTLED_AT_ONCE, 3 * SETTLED_AT_ONCE} >= set(answered_by_turn)
    assert len(set(answered_by_turn)) == 4


async def test_at_most_two_calls_are_under_way_and_the_rest_waits_together() -> None:
    upstream = Upstream(held=True)
    batcher = MicroBatcher[int, int]("part", upstream)
    waiting = []
    for n in range(0, 40, 2):
        waiting.append(asyncio.create_task(batcher.submit(n)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert upstream.calls == [[0], [2]]
    upstream.gate.set()
    assert await asyncio.gather(*waiting) == [n * 2 for n in range(0, 40, 2)]
    assert upstream.most_running == 2
    assert upstream.calls[2] == list(range(4, 40, 2))


async def test_a_call_carries_at_most_64_requests_and_their_size() -> None:
    upstream = Upstream()
    batcher = MicroBatcher[int, int]("part", upstream)
    await asyncio.gather(*(batcher.submit(2) for _ in range(150)))
    assert [len(call) for call in upstream.calls] == [64, 64, 22]
    sized = Upstream()
    by_size = MicroBatcher[int, int]("part", sized, size=lambda n: n, max_size=10)
    await asyncio.gather(*(by_size.submit(n) for n in (4, 6, 2, 20, 2)))
    assert sized.calls == [[4, 6], [2], [20], [2]]


async def test_an_error_stays_with_its_request() -> None:
    batcher = MicroBatcher[int, int]("part", Upstream())
    results = await asyncio.gather(*(batcher.submit(n) for n in (2, 3, 4)), return_exceptions=True)
    assert (results[0], results[2]) == (4, 8)
    assert isinstance(results[1], RecomeshError)


async def test_a_refused_batch_is_sent_one_by_one() -> None:
    upstream = Upstream()
    batcher = MicroBatcher[int, int]("part", upstream)
    results = await asyncio.gather(*(batcher.submit(n) for n in (2, -1, 4)), return_exceptions=True)
    assert (results[0], results[2]) == (4, 8)
    assert isinstance(results[1], InvalidArgument)
    assert results[1].violations[0].description == "is -1"


async def test_an_absent_service_is_not_asked_again_for_each() -> None:
    upstream = Upstream()
    upstream.error = Unavailable("part")
    batcher = MicroBatcher[int, int]("part", upstream)
    results = await asyncio.gather(*(batcher.submit(n) for n in (2, 4)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len(upstream.calls) == 1


async def test_a_bug_in_the_call_reaches_everyone_who_waits() -> None:
    async def send(numbers: Sequence[int]) -> Sequence[int | RecomeshError]:
        raise KeyError("bug")

    batcher = MicroBatcher[int, int]("part", send)
    results = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert all(type(result) is RecomeshError for result in results)  # which a fallback may answer


async def test_answers_that_do_not_fit_their_requests_are_a_failure_of_the_service() -> None:
    async def send(numbers: Sequence[int]) -> Sequence[int | RecomeshError]:
        return [1]

    batcher = MicroBatcher[int, int]("part", send)
    results = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert type(results[1]) is RecomeshError


async def test_the_wait_for_a_turn_counts_as_patience() -> None:
    upstream = Upstream(held=True)
    batcher = MicroBatcher[int, int]("part", upstream, max_in_flight=1, patience_s=0.1)
    first = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    results = await asyncio.gather(first, batcher.submit(4), return_exceptions=True)
    assert all(isinstance(result, DeadlineExceeded) for result in results)


async def test_a_request_gives_up_at_its_own_deadline_and_is_not_sent() -> None:
    upstream = Upstream(held=True)
    batcher = MicroBatcher[int, int]("part", upstream, max_in_flight=1)
    first = asyncio.create_task(batcher.submit(2))
    await upstream.asked.wait()

    async def hurried() -> int:
        context.limit_time(0.02)
        return await batcher.submit(4)

    with pytest.raises(DeadlineExceeded):
        await asyncio.create_task(hurried())
    upstream.gate.set()
    assert await first == 4
    assert await batcher.submit(6) == 12
    assert upstream.calls == [[2], [6]]


async def test_a_call_has_the_time_of_its_most_patient_request() -> None:
    upstream = Upstream()
    batcher = MicroBatcher[int, int]("part", upstream)

    async def within(seconds: float | None, number: int) -> int:
        context.limit_time(seconds)
        return await batcher.submit(number)

    tasks = [asyncio.create_task(within(seconds, 2)) for seconds in (0.2, 5.0, 1.0)]
    await asyncio.gather(*tasks)
    (left,) = upstream.time_left
    assert left is not None
    assert 4 < left <= 5
    await asyncio.gather(*(asyncio.create_task(within(seconds, 2)) for seconds in (0.2, None)))
    assert upstream.time_left[-1] is None


async def test_a_cancelled_request_harms_no_other() -> None:
    upstream = Upstream(held=True)
    batcher = MicroBatcher[int, int]("part", upstream)
    kept, dropped = (asyncio.create_task(batcher.submit(n)) for n in (2, 4))
    await upstream.asked.wait()
    dropped.cancel()
    upstream.gate.set()
    assert await kept == 4
    with pytest.raises(asyncio.CancelledError):
        await dropped
    assert await batcher.submit(6) == 12


class SlowPace(CallPace):
    """Lets calls begin `seconds` after the first request that waits for them."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def wait_s(self, now: float) -> float:
        return self._seconds


async def test_what_comes_while_the_pace_holds_a_call_back_shares_it(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream, call_later = Upstream(), MagicMock()
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", call_later)
    batcher = MicroBatcher[int, int]("part", upstream, pace=SlowPace(60))
    asked = []
    for n in (2, 4, 6):
        asked.append(asyncio.create_task(batcher.submit(n)))
        await asyncio.sleep(0)
    assert upstream.calls == []
    [(wait_s, begin)] = [call.args for call in call_later.call_args_list]
    assert wait_s == 60
    begin()
    assert await asyncio.gather(*asked) == [4, 8, 12]
    assert upstream.calls == [[2, 4, 6]]


async def test_a_full_batch_waits_for_no_pace() -> None:
    upstream = Upstream()
    batcher = MicroBatcher[int, int]("part", upstream, max_batch=3, pace=SlowPace(60))
    assert await asyncio.gather(*(batcher.submit(n) for n in (2, 4, 6))) == [4, 8, 12]
    assert upstream.calls == [[2, 4, 6]]
