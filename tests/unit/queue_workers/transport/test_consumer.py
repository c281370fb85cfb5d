"""What becomes of messages: done, kept while a part is away, isolated when poison, given back on stop."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.port import Broker, Delivery, Message
from meshkit.errors import DeadlineExceeded, FailedPrecondition, RecomeshError, ResourceExhausted, Unavailable
from queue_workers.transport.consumer import Consumer, Job, Subscription

WAIT_S = 10
TOPIC = "train"


def _publish(broker: Broker, *bodies: str) -> None:
    broker.publish([Message(TOPIC, body.encode()) for body in bodies])


def _wait_for(condition: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(int(WAIT_S / 0.005)):
        if condition():
            return
        patience.wait(0.005)
    raise AssertionError("not in time")


def _consume(broker: Broker, job: Job, until: Callable[[], bool], *, batch: int = 10, renew_s: float = 60) -> Consumer:
    consumer = Consumer(broker, Subscription(TOPIC, job, batch), wait_s=0.01, renew_s=renew_s)
    consumer.start()
    _wait_for(until)
    consumer.stop()
    assert consumer.join(WAIT_S)
    return consumer


def test_a_batch_that_succeeds_is_done_for_good() -> None:
    broker, seen = MemoryBroker(), []
    _publish(broker, "a", "b", "c")

    consumer = _consume(
        broker, lambda messages: seen.extend(m.body for m in messages), lambda: broker.depth(TOPIC) == 0
    )

    assert seen == [b"a", b"b", b"c"]
    assert (consumer.busy, consumer.alive, consumer.lag_s) == (False, False, 0.0)


def test_poison_ends_as_a_dead_letter_and_the_rest_of_its_batch_is_done() -> None:
    broker = MemoryBroker(max_attempts=2)  # the pauses grow fourfold with each attempt
    done: list[bytes] = []
    _publish(broker, "good", "poison", "fine", "well", "nice")

    def job(messages: Sequence[Message]) -> None:
        if any(m.body == b"poison" for m in messages):
            raise ValueError("cannot digest")
        done.extend(m.body for m in messages)

    consumer = _consume(broker, job, lambda: broker.dead_letter_count(TOPIC) == 1)

    (letter,) = broker.dead_letters(TOPIC)
    assert (letter.message.body, letter.reason) == (b"poison", "ValueError: cannot digest")
    assert done == [b"good", b"fine", b"well", b"nice"]
    assert broker.depth(TOPIC) == 0
    assert consumer.last_error == "ValueError: cannot digest"


def test_poison_is_found_by_halves_not_one_by_one() -> None:
    broker, calls = MemoryBroker(max_attempts=1), []
    _publish(broker, *(str(n) for n in range(64)))

    def job(messages: Sequence[Message]) -> None:
        calls.append(len(messages))
        if any(m.body == b"13" for m in messages):
            raise FailedPrecondition("unlucky")

    _consume(broker, job, lambda: broker.dead_letter_count(TOPIC) == 1 and broker.depth(TOPIC) == 0, batch=64)

    assert len(calls) == 13
    assert [x.reason for x in broker.dead_letters(TOPIC)] == ["unlucky"]


@pytest.mark.parametrize(
    "error", [Unavailable("database"), DeadlineExceeded("too slow"), ResourceExhausted("too much")], ids=str
)
def test_while_a_part_is_away_messages_wait_and_lose_no_attempt(error: RecomeshError) -> None:
    broker = MemoryBroker(max_attempts=1)
    _publish(broker, "a")
    outage = iter([True, True, False])

    def job(messages: Sequence[Message]) -> None:
        if next(outage):
            raise error

    consumer = _consume(broker, job, lambda: broker.depth(TOPIC) == 0)

    assert broker.dead_letters(TOPIC) == []
    assert consumer.last_error == ""


def test_a_stop_during_an_outage_gives_the_messages_back() -> None:
    broker = MemoryBroker()
    _publish(broker, "a", "b")
    tried = threading.Event()

    def job(messages: Sequence[Message]) -> None:
        tried.set()
        raise Unavailable("database")

    _consume(broker, job, tried.is_set)
    broker.close()

    assert [d.attempt for d in broker.receive(TOPIC, limit=5, wait_s=0)] == [1, 1]


def test_messages_come_in_batches_no_larger_than_asked() -> None:
    broker, sizes = MemoryBroker(), []
    _publish(broker, *"abcdefg")

    _consume(broker, lambda messages: sizes.append(len(messages)), lambda: broker.depth(TOPIC) == 0, batch=3)

    assert sizes == [3, 3, 1]


def test_what_is_done_is_settled_when_the_queue_is_back() -> None:
    class Shaky(MemoryBroker):
        outages = 2

        def ack(self, deliveries: Sequence[Delivery]) -> None:
            if self.outages:
                self.outages -= 1
                raise Unavailable("queue")
            super().ack(deliveries)

    broker, calls = Shaky(), []
    _publish(broker, "a")

    _consume(broker, lambda messages: calls.append(len(messages)), lambda: broker.depth(TOPIC) == 0)

    assert calls == [1]


@pytest.mark.parametrize("error", [Unavailable("queue"), RuntimeError("a bug")], ids=str)
def test_a_consumer_outlives_a_queue_in_trouble(error: Exception) -> None:
    class Shaky(MemoryBroker):
        outages = 2

        def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
            if self.outages:
                self.outages -= 1
                raise error
            return super().receive(topic, limit=limit, wait_s=wait_s)

    broker = Shaky()
    _publish(broker, "a")
    _consume(broker, lambda messages: None, lambda: broker.depth(TOPIC) == 0)


def test_loans_are_renewed_while_a_job_takes_long() -> None:
    class Counting(MemoryBroker):
        renewed = 0

        def renew(self, deliveries: Sequence[Delivery]) -> None:
            self.renewed += len(deliveries)
            if self.renewed == 2:
                raise Unavailable("queue")  # is tried again

    broker, go = Counting(), threading.Event()
    _publish(broker, "a", "b")
    consumer = Consumer(broker, Subscription(TOPIC, lambda messages: _ignore(go.wait(WAIT_S)), 5), renew_s=0.01)
    consumer.start()
    _wait_for(lambda: broker.renewed >= 6)
    assert consumer.busy
    go.set()
    consumer.stop()
    assert consumer.join(WAIT_S)
    assert broker.depth(TOPIC) == 0


def test_lag_is_the_age_of_the_oldest_message_at_work() -> None:
    class Slow(MemoryBroker):
        def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
            hour_ago = datetime.now(UTC) - timedelta(hours=1)
            found = super().receive(topic, limit=limit, wait_s=wait_s)
            return [Delivery(d.message, d.message_id, d.attempt, hour_ago, d.tag) for d in found]

    broker, go = Slow(), threading.Event()
    _publish(broker, "a")
    consumer = Consumer(broker, Subscription(TOPIC, lambda messages: _ignore(go.wait(WAIT_S))), wait_s=0.01)
    consumer.start()
    _wait_for(lambda: consumer.busy)
    assert 3600 <= consumer.lag_s < 3700
    go.set()
    _wait_for(lambda: consumer.lag_s == 0)
    consumer.stop()
    assert consumer.join(WAIT_S)


def _ignore(_: object) -> None:
    return None
