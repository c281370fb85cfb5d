"""What every queue promises. What only the embedded one promises: tests/unit/meshkit/broker."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.open import open_broker
from meshkit.broker.port import MAX_ATTEMPTS, Broker, Message
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.broker.sqlite_broker import SqliteBroker
from meshkit.errors import SettingsInvalid

TOPIC = "interactions"


@pytest.fixture(params=["memory", "sqlite", "rabbit"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    made: Broker
    if request.param == "memory":
        made = MemoryBroker()
    elif request.param == "sqlite":
        made = SqliteBroker(tmp_path / "queue.db")
    else:
        made = RabbitBroker(request.getfixturevalue("rabbit").url, prefix=f"{uuid.uuid4().hex}.")
    yield made
    made.close()


def _publish(broker: Broker, *bodies: str, topic: str = TOPIC) -> None:
    broker.publish([Message(topic, body.encode()) for body in bodies])


def _bodies(broker: Broker, *, limit: int = 100, wait_s: float = 0, topic: str = TOPIC) -> list[str]:
    return [d.message.body.decode() for d in broker.receive(topic, limit=limit, wait_s=wait_s)]


def test_messages_come_in_the_order_they_were_published(broker: Broker) -> None:
    _publish(broker, "a", "b")
    _publish(broker, "c")
    assert _bodies(broker) == ["a", "b", "c"]


def test_a_message_on_loan_is_not_lent_again(broker: Broker) -> None:
    _publish(broker, "a", "b")
    assert _bodies(broker, limit=1) == ["a"]
    assert _bodies(broker) == ["b"]
    assert _bodies(broker) == []


def test_topics_are_apart(broker: Broker) -> None:
    _publish(broker, "a")
    _publish(broker, "b", topic="train")
    assert _bodies(broker, topic="train") == ["b"]
    assert broker.depth(TOPIC) == 1


def test_an_acknowledged_message_is_gone(broker: Broker) -> None:
    _publish(broker, "a")
    broker.ack(broker.receive(TOPIC, limit=1, wait_s=0))
    assert broker.depth(TOPIC) == 0


def test_a_message_to_retry_comes_again_with_a_higher_count(broker: Broker) -> None:
    _publish(broker, "a")
    (first,) = broker.receive(TOPIC, limit=1, wait_s=0)
    broker.retry([first], reason="busy", delay_s=0)
    (second,) = broker.receive(TOPIC, limit=1, wait_s=0)
    assert (first.attempt, second.attempt) == (1, 2)


def test_a_message_to_retry_later_waits(broker: Broker) -> None:
    _publish(broker, "a")
    broker.retry(broker.receive(TOPIC, limit=1, wait_s=0), reason="busy", delay_s=0.1)
    assert _bodies(broker) == []
    assert _bodies(broker, wait_s=5) == ["a"]


def test_after_the_last_attempt_a_message_is_a_dead_letter_with_its_reason(broker: Broker) -> None:
    _publish(broker, "poison")
    for _ in range(MAX_ATTEMPTS):
        broker.retry(broker.receive(TOPIC, limit=1, wait_s=0), reason="cannot read it", delay_s=0)
    assert _bodies(broker) == []
    (letter,) = broker.dead_letters(TOPIC)
    assert (letter.message.body, letter.reason, letter.attempts) == (b"poison", "cannot read it", MAX_ATTEMPTS)


def test_a_buried_message_is_a_dead_letter_at_once(broker: Broker) -> None:
    _publish(broker, "a", "b")
    broker.bury(broker.receive(TOPIC, limit=1, wait_s=0)[0], reason="not JSON")
    assert [x.reason for x in broker.dead_letters(TOPIC)] == ["not JSON"]
    assert _bodies(broker) == ["b"]


def test_replayed_dead_letters_start_afresh(broker: Broker) -> None:
    _publish(broker, "a", "b")
    for delivery in broker.receive(TOPIC, limit=2, wait_s=0):
        broker.bury(delivery, reason="x")
    first = broker.dead_letters(TOPIC)[0].letter_id
    assert broker.replay(TOPIC, [first]) == 1
    (again,) = broker.receive(TOPIC, limit=2, wait_s=0)
    assert (again.message.body, again.attempt) == (b"a", 1)
    assert len(broker.dead_letters(TOPIC)) == 1


def test_purged_dead_letters_are_gone(broker: Broker) -> None:
    _publish(broker, "a")
    broker.bury(broker.receive(TOPIC, limit=1, wait_s=0)[0], reason="x")
    assert broker.purge("train") == 0
    assert broker.purge(TOPIC) == 1
    assert broker.dead_letters(TOPIC) == []


def test_a_waiting_receiver_gets_what_is_published_meanwhile(broker: Broker) -> None:
    got: list[str] = []
    waiter = threading.Thread(target=lambda: got.extend(_bodies(broker, wait_s=10)))
    waiter.start()
    _publish(broker, "a")
    waiter.join(10)
    assert got == ["a"]


def test_many_threads_publish_and_each_message_arrives_once(broker: Broker) -> None:
    threads = [threading.Thread(target=_publish, args=(broker, *[f"{t}-{n}" for n in range(50)])) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(_bodies(broker, limit=1000)) == sorted(f"{t}-{n}" for t in range(8) for n in range(50))


def test_a_message_arrives_as_it_was_published(broker: Broker) -> None:
    message = Message(TOPIC, '{"title": "Möbel 🪑\\u0000"}'.encode(), key="visitor/ä 1")
    broker.publish([message])
    (delivery,) = broker.receive(TOPIC, limit=1, wait_s=0)
    assert delivery.message == message
    assert abs((datetime.now(UTC) - delivery.published_at).total_seconds()) < 60


def test_publishing_nothing_is_fine(broker: Broker) -> None:
    broker.publish([])
    assert broker.depth(TOPIC) == 0


def test_settling_nothing_is_fine(broker: Broker) -> None:
    broker.ack([])
    broker.retry([], reason="x", delay_s=0)
    broker.renew([])
    assert broker.depth(TOPIC) == 0


def test_an_empty_topic_waits_and_gives_nothing(broker: Broker) -> None:
    assert broker.receive(TOPIC, limit=5, wait_s=0.02) == []


def test_messages_on_loan_and_waiting_for_a_retry_count_as_depth(broker: Broker) -> None:
    _publish(broker, "a", "b", "c")
    held = broker.receive(TOPIC, limit=2, wait_s=0)
    broker.retry(held[:1], reason="busy", delay_s=60)
    assert broker.depth(TOPIC) == 3


def test_dead_letters_are_counted_by_topic(broker: Broker) -> None:
    _publish(broker, "a", "b")
    for delivery in broker.receive(TOPIC, limit=2, wait_s=0):
        broker.bury(delivery, reason="x")
    assert (broker.dead_letter_count(TOPIC), broker.dead_letter_count("train")) == (2, 0)
    assert [x.message.body for x in broker.dead_letters(TOPIC, limit=1)] == [b"a"]


def test_unknown_dead_letters_are_passed_over(broker: Broker) -> None:
    assert broker.replay(TOPIC, ["17", "no number", ""]) == 0
    assert broker.purge(TOPIC, ["17", "no number", ""]) == 0


def test_replaying_all_keeps_the_order(broker: Broker) -> None:
    _publish(broker, "a", "b", "c")
    for delivery in broker.receive(TOPIC, limit=3, wait_s=0):
        broker.bury(delivery, reason="x")
    assert broker.replay(TOPIC) == 3
    assert _bodies(broker) == ["a", "b", "c"]


@pytest.mark.parametrize("url", ["kafka://here", "sqlite://", "", "sqlite:///"])
def test_an_unknown_queue_url_names_the_variable(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="RECOMESH_BROKER_URL"):
        open_broker(url)


def test_a_sqlite_url_opens_that_file(tmp_path: Path) -> None:
    broker = open_broker(f"sqlite:///{tmp_path}/q/queue.db")
    _publish(broker, "a")
    broker.close()
    assert (tmp_path / "q/queue.db").is_file()
