"""The queue on a real RabbitMQ that is killed, frozen and emptied: bounded answers, nothing lost, poison alone."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing

import pika
import pytest

from bench.ports import free_ports
from meshkit.broker.port import MAX_LOSSES, Broker, Message
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.errors import Unavailable
from tests.support.processes import wait_until
from tests.support.servers import RabbitServer

TOPIC = "interactions"
Open = Callable[..., RabbitBroker]


@pytest.fixture
def open_rabbit(rabbit: RabbitServer) -> Iterator[Open]:
    """Brokers on queues of their own, which all calls of a test share."""
    prefix, made = f"{uuid.uuid4().hex}.", []

    def opened(**options: object) -> RabbitBroker:
        made.append(RabbitBroker(rabbit.url, prefix=prefix, **options))  # type: ignore[arg-type]
        return made[-1]

    yield opened
    for broker in made:
        broker.close()


def _publish(broker: Broker, *bodies: str) -> None:
    broker.publish([Message(TOPIC, body.encode()) for body in bodies])


def _all(broker: Broker, within_s: float = 20) -> list[str]:
    """What waits, in the order of arrival, until nothing comes for a moment."""
    bodies: list[str] = []
    while more := broker.receive(TOPIC, limit=100, wait_s=within_s):
        bodies += [delivery.message.body.decode() for delivery in more]
        broker.ack(more)
        within_s = 0.3
    return bodies


def _succeeds(act: Callable[[], object]) -> bool:
    try:
        act()
    except Unavailable:
        return False
    return True


def test_killed_and_started_again_it_has_every_confirmed_message(rabbit, open_rabbit):
    broker = open_rabbit(call_s=2)
    _publish(broker, "a", "b", "c")
    rabbit.shut_down()
    rabbit.start()
    wait_until(lambda: _succeeds(lambda: _publish(broker, "d")), what="a new connection")
    held = broker.receive(TOPIC, limit=2, wait_s=10)
    assert [d.message.body for d in held] == [b"a", b"b"]
    rabbit.kill()
    with pytest.raises(Unavailable, match="queue amqp"):
        _publish(broker, "e")
    rabbit.start()
    wait_until(lambda: _succeeds(lambda: broker.depth(TOPIC)), what="a new connection")
    broker.ack(held)  # loans of a lost connection: passed over
    assert sorted(_all(broker)) == ["a", "b", "c", "d"]


def test_frozen_it_answers_in_time_that_it_is_away_and_goes_on_when_thawed(rabbit, open_rabbit):
    broker = open_rabbit(call_s=5)
    _publish(broker, "a")
    rabbit.freeze()
    try:
        took_s: list[float] = []
        while not took_s or (took_s[-1] >= 1.5 and len(took_s) < 3):  # the machine may be busy
            began = time.monotonic()
            with pytest.raises(Unavailable, match=r"no answer within 0\.3 s"):
                broker.publish_within([Message(TOPIC, b"b")], 0.3)
            took_s.append(time.monotonic() - began)
        assert took_s[-1] < 1.5
    finally:
        rabbit.thaw()
    wait_until(lambda: _succeeds(lambda: _publish(broker, "c")), what="an answer")
    assert [body for body in _all(broker) if body != "b"] == ["a", "c"]  # b may have arrived: nobody was told


def test_what_a_consumer_held_comes_again_when_it_goes(open_rabbit):
    broker, other = open_rabbit(), open_rabbit()
    _publish(broker, "a", "b")
    assert len(other.receive(TOPIC, limit=2, wait_s=5)) == 2
    other.close()
    assert sorted(_all(broker)) == ["a", "b"]


def test_what_was_lost_twice_is_lent_alone_and_nothing_with_it(open_rabbit):
    broker = open_rabbit()
    _publish(broker, "a", "b")
    for _ in range(2):
        with closing(open_rabbit()) as lost:
            assert len(lost.receive(TOPIC, limit=2, wait_s=5)) == 2
    last, other = open_rabbit(), open_rabbit()
    (alone,) = last.receive(TOPIC, limit=100, wait_s=5)
    (next_one,) = other.receive(TOPIC, limit=100, wait_s=5)  # it was not sent ahead to the first
    assert {alone.message.body, next_one.message.body} == {b"a", b"b"}
    assert (alone.attempt, next_one.attempt) == (3, 3)


def test_what_is_lost_too_often_is_a_dead_letter(open_rabbit):
    broker = open_rabbit(max_losses=3)
    _publish(broker, "killer")
    for _ in range(3):
        with closing(open_rabbit(max_losses=3)) as killed:
            assert killed.receive(TOPIC, limit=1, wait_s=5)
    wait_until(lambda: broker.dead_letter_count(TOPIC), what="a dead letter")
    (letter,) = broker.dead_letters(TOPIC)
    assert (letter.message.body, letter.attempts, letter.reason) == (b"killer", 3, "its worker died or hung each time")
    assert broker.depth(TOPIC) == 0
    assert MAX_LOSSES == 20


def test_two_consumers_share_a_topic(open_rabbit):
    broker, other = open_rabbit(), open_rabbit()
    _publish(broker, *(str(n) for n in range(100)))
    mine = broker.receive(TOPIC, limit=10, wait_s=5)
    theirs = other.receive(TOPIC, limit=100, wait_s=5)
    assert (len(mine), len(theirs)) == (10, 90)


def test_a_queue_that_someone_deleted_is_made_again(rabbit, open_rabbit):
    broker = open_rabbit(call_s=2)
    _publish(broker, "a")
    with pika.BlockingConnection(pika.URLParameters(rabbit.url)) as connection:
        connection.channel().queue_delete(broker._topology.main(TOPIC))
    assert not _succeeds(lambda: _publish(broker, "b"))
    _publish(broker, "c")
    assert _all(broker) == ["c"]


def test_a_server_that_is_not_there_is_away_at_once():
    (port,) = free_ports(1)
    with closing(RabbitBroker(f"amqp://guest:s3cret@127.0.0.1:{port}/")) as broker:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=rf"queue amqp://guest:\*\*\*@127.0.0.1:{port}/: .*refused") as raised:
            broker.depth(TOPIC)
        assert raised.value.part == "queue"
        assert time.monotonic() - began < 3


def test_a_wrong_password_is_told(rabbit):
    url = rabbit.url.replace("guest:guest", "guest:wrong")
    with closing(RabbitBroker(url)) as broker, pytest.raises(Unavailable, match="ACCESS_REFUSED"):
        broker.depth(TOPIC)
