"""Idempotency keys."""

import asyncio

import pytest

from edge.service.replay import ENTRY_BYTES, KeptAnswer, ReplayMemory
from meshkit.errors import FailedPrecondition, Unavailable
from tests.unit.edge.service.conftest import Clock


class Work:
    def __init__(self, body: bytes = b"{}") -> None:
        self.times = 0
        self.body = body

    async def __call__(self) -> KeptAnswer:
        self.times += 1
        return KeptAnswer(200, self.body)


async def test_a_key_works_once_until_it_is_old(clock: Clock) -> None:
    memory, work = ReplayMemory(keep_s=600, clock=clock), Work()
    for _ in range(3):
        assert await memory.once("k", b"same", work) == KeptAnswer(200, b"{}")
    assert work.times == 1
    clock.now += 601
    await memory.once("k", b"same", work)
    assert work.times == 2


async def test_no_key_works_every_time() -> None:
    memory, work = ReplayMemory(), Work()
    await memory.once("", b"same", work)
    await memory.once("", b"same", work)
    assert work.times == 2


async def test_a_key_with_another_request_is_refused() -> None:
    memory, work = ReplayMemory(), Work()
    await memory.once("k", b"one", work)
    with pytest.raises(FailedPrecondition) as raised:
        await memory.once("k", b"two", work)
    assert raised.value.reason == "IDEMPOTENCY_KEY_REUSED"


async def test_a_key_in_use_is_refused_and_free_again_after_a_failure() -> None:
    memory, gate = ReplayMemory(), asyncio.Event()

    async def slow() -> KeptAnswer:
        await gate.wait()
        raise Unavailable("profile")

    first = asyncio.create_task(memory.once("k", b"one", slow))
    await asyncio.sleep(0)
    with pytest.raises(FailedPrecondition) as raised:
        await memory.once("k", b"one", slow)
    assert raised.value.reason == "IDEMPOTENCY_KEY_IN_USE"
    gate.set()
    with pytest.raises(Unavailable):
        await first
    assert await memory.once("k", b"one", Work()) == KeptAnswer(200, b"{}")


async def test_answers_about_a_subject_can_be_forgotten() -> None:
    memory, work = ReplayMemory(), Work()
    await memory.once("k", b"one", work, subject="v1")
    await memory.once("l", b"one", work, subject="v2")
    memory.forget("v1")
    await memory.once("k", b"one", work, subject="v1")
    await memory.once("l", b"one", work, subject="v2")
    assert work.times == 3


async def test_the_memory_is_bounded() -> None:
    memory, work = ReplayMemory(max_bytes=2 * ENTRY_BYTES + 10), Work()
    for key in ("a", "b", "c"):
        await memory.once(key, b"", work)
    await memory.once("c", b"", work)
    assert work.times == 3
    await memory.once("a", b"", work)
    assert work.times == 4
    large = Work(b"x" * 10_000)
    for _ in range(2):
        await memory.once("large", b"", large)
    assert large.times == 2
    await memory.once("new", b"", work)
    await memory.once("new", b"", work)
    assert work.times == 5
