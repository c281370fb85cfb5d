"""Consumers together: started by topic, stopped within a time."""

import threading
from collections.abc import Sequence

from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.port import Message
from queue_workers.transport.consumer import Subscription
from queue_workers.transport.pool import ConsumerPool


def test_as_many_consumers_as_asked_for_and_only_of_the_topics_started() -> None:
    pool = ConsumerPool(
        MemoryBroker(),
        [Subscription("interactions", lambda _: None, consumers=3), Subscription("train", lambda _: None)],
    )
    pool.start("interactions")
    pool.start("interactions")
    assert [c.alive for c in pool.consumers] == [True, True, True, False]
    assert pool.trouble == ""
    assert pool.stop(10)
    pool.start("train")
    assert not any(c.alive for c in pool.consumers)
    assert pool.trouble == ""


def test_a_job_that_takes_too_long_is_given_up_and_its_message_given_back() -> None:
    broker, begun, go = MemoryBroker(), threading.Event(), threading.Event()
    broker.publish([Message("train", b"long"), Message("interactions", b"short")])
    done: list[bytes] = []

    def long(_: Sequence[Message]) -> None:
        begun.set()
        go.wait(10)

    pool = ConsumerPool(
        broker,
        [Subscription("train", long), Subscription("interactions", lambda ms: done.extend(m.body for m in ms))],
    )
    pool.start("train", "interactions")
    assert begun.wait(10)
    assert not pool.stop(0.7)
    broker.close()
    assert done == [b"short"]
    assert [d.attempt for d in broker.receive("train", limit=1, wait_s=0)] == [1]
    go.set()
    assert pool.consumers[0].join(10)


def test_a_consumer_that_ended_by_itself_is_trouble() -> None:
    pool = ConsumerPool(MemoryBroker(), [Subscription("train", lambda _: None)])
    pool.start("train")
    pool.consumers[0].stop()
    assert pool.consumers[0].join(10)
    assert pool.trouble == "consumers ended: train"
