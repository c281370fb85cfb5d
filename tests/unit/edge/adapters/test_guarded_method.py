"""A guarded method over fake replicas: retries, attempts, ejection, circuit. No socket is opened."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge.adapters.guarded_method import GuardedMethod, Upstream
from edge.adapters.replica_set import ReplicaSet
from edge.domain.ports import upstream_failed
from meshkit import context
from meshkit.errors import CircuitOpen, DeadlineExceeded, InvalidArgument, NotFound, RecomeshError, Unavailable


@dataclass
class FakeReplica:
    """A channel and its method at once: answers its address, or misbehaves."""

    address: str
    error: RecomeshError | None = None
    hangs: bool = False
    answers_nonsense: bool = False
    calls: int = 0
    timeouts: list[float] = field(default_factory=list)

    async def ask(self, request: Any, /, *, timeout: float | None, metadata: Any) -> str | None:
        self.calls += 1
        assert timeout is not None
        self.timeouts.append(timeout)
        if self.hangs:
            await asyncio.sleep(timeout)
            raise DeadlineExceeded("too late")
        if self.error is not None:
            raise self.error
        return None if self.answers_nonsense else self.address


class Shop:
    """Replicas "a", "b", … of reco and one method of it."""

    def __init__(self, count: int, *, timeout_s: float = 0.2, read: bool = True) -> None:
        self.fakes = {name: FakeReplica(name) for name in "abcd"[:count]}
        channels: Callable[[str], Any] = self.fakes.__getitem__
        self.replicas = ReplicaSet("reco", list(self.fakes), channels)
        self.upstream = Upstream(self.replicas)
        of_channel: Callable[[Any], Any] = lambda fake: fake.ask  # noqa: E731
        self.method: GuardedMethod[str] = self.upstream.method("Ask", of_channel, timeout_s=timeout_s, read=read)

    @property
    def attempts(self) -> int:
        return sum(fake.calls for fake in self.fakes.values())

    def ejected(self) -> list[str]:
        return [replica.address for replica in self.replicas.replicas if replica.ejected]

    def circuit(self) -> object:
        return self.method.status()["circuit"]


async def failures(shop: Shop, times: int) -> list[RecomeshError]:
    caught = []
    for _ in range(times):
        with pytest.raises(RecomeshError) as error:
            await shop.method("?")
        caught.append(error.value)
    return caught


async def test_replicas_take_turns():
    shop = Shop(3)
    assert [await shop.method("?") for _ in range(6)] == ["a", "b", "c"] * 2


async def test_a_replica_that_is_away_is_retried_elsewhere_and_ejected_after_two_failures():
    shop = Shop(2)
    shop.fakes["a"].error = Unavailable("reco")
    assert {await shop.method("?") for _ in range(20)} == {"b"}
    assert shop.ejected() == ["a"]
    assert shop.fakes["a"].calls == 2


async def test_a_frozen_replica_costs_half_of_the_patience_and_no_error():
    shop = Shop(2)
    shop.fakes["a"].hangs = True
    assert {await shop.method("?") for _ in range(20)} == {"b"}
    assert shop.ejected() == ["a"]
    assert all(timeout <= 0.1 for timeout in shop.fakes["a"].timeouts)


async def test_an_answer_that_can_not_be_read_is_asked_for_elsewhere():
    shop = Shop(2)
    shop.fakes["a"].answers_nonsense = True
    assert {await shop.method("?") for _ in range(10)} == {"b"}
    assert shop.ejected() == ["a"]


async def test_a_single_replica_is_never_ejected_and_has_all_the_time():
    shop = Shop(1)
    shop.fakes["a"].answers_nonsense = True
    (error,) = await failures(shop, 1)
    assert upstream_failed(error)
    assert shop.ejected() == []
    assert shop.fakes["a"].timeouts[0] > 0.15


async def test_when_all_are_ejected_all_are_asked():
    shop = Shop(2)
    for fake in shop.fakes.values():
        fake.error = Unavailable("reco")
    await failures(shop, 2)
    assert shop.ejected() == ["a", "b"]
    for fake in shop.fakes.values():
        fake.error = None
    assert await shop.method("?") in {"a", "b"}


async def test_retries_do_not_multiply_the_load_of_a_part_that_is_down():
    shop = Shop(2, timeout_s=1)
    shop.upstream.budget.__init__(ratio=0.1, most=10)  # type: ignore[misc]
    calls = 0
    for fake in shop.fakes.values():
        fake.error = Unavailable("reco")
    for _ in range(400):
        shop.method._breaker._slices.clear()  # a breaker that never opens, so that only the budget holds
        await failures(shop, 1)
        calls += 1
    assert shop.attempts <= 1.1 * calls + 10


@pytest.mark.parametrize("error", [InvalidArgument.of("filter", "is wrong"), RecomeshError("boom")])
async def test_what_another_replica_would_answer_alike_is_not_retried(error):
    shop = Shop(2)
    shop.fakes["a"].error = error
    with pytest.raises(type(error)):
        await shop.method("?")
    assert shop.attempts == 1


async def test_a_part_behind_the_service_is_no_fault_of_the_replica():
    shop = Shop(2)
    for fake in shop.fakes.values():
        fake.error = Unavailable("queue")
    await failures(shop, 4)
    assert shop.attempts == 4
    assert shop.ejected() == []


async def test_a_write_that_hangs_is_not_sent_twice():
    shop = Shop(2, read=False)
    shop.fakes["a"].hangs = True
    with pytest.raises(DeadlineExceeded):
        await shop.method("?")
    assert shop.attempts == 1


async def test_wrong_questions_never_open_the_circuit():
    shop = Shop(1)
    shop.fakes["a"].error = InvalidArgument.of("filter", "is wrong")
    await failures(shop, 50)
    assert shop.circuit() == "closed"


async def test_an_open_circuit_answers_at_once_and_a_background_probe_closes_it():
    shop = Shop(1)
    shop.fakes["a"].error = Unavailable("reco")
    errors = await failures(shop, 30)
    assert isinstance(errors[-1], CircuitOpen)
    asked = shop.attempts
    await failures(shop, 10)
    assert shop.attempts == asked

    shop.fakes["a"].error = None
    for _ in range(2):  # two probes, each told "open" to the caller who set it off
        shop.method._breaker._opened = float("-inf")
        with pytest.raises(CircuitOpen):
            await shop.method("?")
        await asyncio.sleep(0.01)
    assert shop.circuit() == "closed"
    assert await shop.method("?") == "a"


async def test_a_write_is_its_own_probe():
    shop = Shop(1, read=False)
    shop.fakes["a"].error = Unavailable("reco")
    await failures(shop, 10)
    shop.fakes["a"].error = None
    shop.method._breaker._opened = float("-inf")
    assert await shop.method("?") == "a"


async def test_callers_without_time_say_nothing_about_the_service():
    shop = Shop(1, timeout_s=5)
    shop.fakes["a"].hangs = True
    for _ in range(10):
        context.limit_time(0.005)
        with pytest.raises(DeadlineExceeded):
            await shop.method("?")
    assert shop.circuit() == "closed"


async def test_a_deadline_is_passed_on_with_what_remains():
    shop = Shop(1, timeout_s=5)
    context.limit_time(0.1)
    await shop.method("?")
    assert shop.fakes["a"].timeouts[0] <= 0.1


async def test_a_cancelled_probe_makes_room_for_the_next():
    shop = Shop(1, read=False)
    shop.fakes["a"].error = Unavailable("reco")
    await failures(shop, 10)
    shop.fakes["a"].error, shop.fakes["a"].hangs = None, True
    shop.method._breaker._opened = float("-inf")
    probe = asyncio.create_task(shop.method("?"))
    await asyncio.sleep(0.01)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    shop.fakes["a"].hangs = False
    assert await shop.method("?") == "a"


class TestWhatEachReplicaRemembers:
    def shop(self, knows: str) -> Shop:
        shop = Shop(3)
        shop.method = shop.upstream.method("Ask", lambda fake: fake.ask, timeout_s=0.2, remembered=True)  # type: ignore[attr-defined]
        for name, fake in shop.fakes.items():
            fake.error = None if name == knows else NotFound("recommendation", "r1")
        return shop

    async def test_what_one_does_not_find_the_others_are_asked_for(self):
        shop = self.shop("c")
        assert {await shop.method("?") for _ in range(9)} == {"c"}
        assert shop.ejected() == []

    async def test_what_none_finds_is_not_found_after_all_were_asked_once(self):
        shop = self.shop("nobody")
        (error,) = await failures(shop, 1)
        assert isinstance(error, NotFound)
        assert shop.attempts == 3

    async def test_any_other_method_takes_the_first_no(self):
        shop = Shop(3)
        shop.fakes["a"].error = NotFound("product", "p1")
        assert isinstance((await failures(shop, 1))[0], NotFound)
        assert shop.attempts == 1
