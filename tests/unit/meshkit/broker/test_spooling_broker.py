"""While the queue is away, messages wait in a file: in order, bounded, and without waiting for the queue."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.port import Message
from meshkit.broker.spool import Spool
from meshkit.broker.spooling_broker import SpoolingBroker
from meshkit.errors import Unavailable

TOPIC = "interactions"
MB = 1024**2


class Queue(MemoryBroker):
    """May be away, or take its time; remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.slow_s = 0.0
        self.late = 0
        self.taken: list[str] = []
        self.asked = threading.Event()

    def publish_within(self, messages: Sequence[Message], timeout_s: float) -> None:
        if self.slow_s > timeout_s:
            self.late += 1
            time.sleep(timeout_s)
            raise Unavailable("queue", "no answer in time")
        self.publish(messages)

    def publish(self, messages: Sequence[Message]) -> None:
        self.asked.set()
        if self.away:
            raise Unavailable("queue", "connection refused")
        time.sleep(self.slow_s)
        self.taken += [message.body.decode() for message in messages]


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def opened(queue: Queue, tmp_path: Path) -> Iterator[Callable[..., SpoolingBroker]]:
    made: list[SpoolingBroker] = []

    def open_on(to: Queue = queue, max_bytes: int = 10 * MB, **options: int) -> SpoolingBroker:
        made.append(SpoolingBroker(to, Spool(tmp_path / "spool" / "reco.db", max_bytes=max_bytes, **options)))
        return made[-1]

    yield open_on
    for broker in made:
        broker.close()


def _publish(broker: SpoolingBroker, *bodies: str, topic: str = TOPIC) -> None:
    for body in bodies:
        broker.publish([Message(topic, body.encode())])


def _until(condition: Callable[[], object], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_with_a_queue_that_answers_nothing_is_spooled(queue, opened):
    broker = opened()
    _until(lambda: not broker.diverted)
    _publish(broker, "a", "b")
    assert queue.taken == ["a", "b"]
    assert broker.state().depth == 0


def test_what_comes_while_the_queue_is_away_arrives_later_in_order(queue, opened):
    broker = opened()
    queue.away = True
    _publish(broker, *(str(n) for n in range(50)))
    _until(lambda: broker.state().trouble)  # it has been asked
    assert queue.taken == []
    state = broker.state()
    assert (state.depth, state.trouble) == (50, "connection refused")
    queue.away = False
    _publish(broker, "50", "51")  # behind those that wait
    _until(lambda: broker.state().depth == 0)
    assert queue.taken == [str(n) for n in range(52)]


def test_once_the_spool_is_empty_messages_go_straight_again(queue, opened):
    broker = opened()
    queue.away = True
    _publish(broker, "a")
    queue.away = False
    _until(lambda: not broker.diverted)
    _publish(broker, "b")
    assert queue.taken == ["a", "b"]
    assert broker.state().trouble == ""


def test_a_queue_that_answers_late_costs_the_budget_once(queue, opened):
    broker = opened()
    _until(lambda: not broker.diverted)
    queue.slow_s = 0.5
    began = time.monotonic()
    _publish(broker, "0")
    assert time.monotonic() - began > 0.25
    _publish(broker, "1", "2", "3", "4")
    assert queue.late == 1
    _until(lambda: queue.taken == ["0", "1", "2", "3", "4"])


def test_what_a_process_left_is_drained_by_the_next(queue, opened):
    first = opened()
    queue.away = True
    _publish(first, "a", "b")
    queue.asked.clear()
    assert queue.asked.wait(5)  # the drainer holds the batch
    first.close()
    later = Queue()
    _publish(opened(later), "c")
    _until(lambda: len(later.taken) == 3)
    assert later.taken == ["a", "b", "c"]


def test_topics_take_turns(queue, opened):
    broker = opened()
    queue.away = True
    _publish(broker, "t", topic="train")
    _publish(broker, *(str(n) for n in range(1200)))
    queue.away = False
    _until(lambda: broker.state().depth == 0)
    assert queue.taken.index("t") <= 1000
    assert [body for body in queue.taken if body != "t"] == [str(n) for n in range(1200)]


def test_only_one_process_drains_a_spool(queue, opened):
    queue.away = True
    first, second_queue = opened(), Queue()
    _publish(first, "a")
    queue.asked.clear()
    assert queue.asked.wait(5)  # the first holds the lock
    second = opened(second_queue)
    _publish(second, "b")
    queue.away = False
    _until(lambda: second.state().depth == 0)
    assert (queue.taken, second_queue.taken) == (["a", "b"], [])
    _until(lambda: not second.diverted)
    _publish(second, "c")
    assert second_queue.taken == ["c"]


def test_a_full_spool_refuses_and_names_the_variable(queue, opened):
    broker = opened(max_bytes=MB // 2)
    _until(lambda: not broker.diverted)  # so that the first message meets the queue, and says why it is away
    queue.away = True
    with pytest.raises(Unavailable, match=r"queue is away \(connection refused\).*RECOMESH_SPOOL_MAX_MB") as raised:
        _publish(broker, *["x" * 20_000] * 100)
    assert raised.value.part == "queue"
    taken = broker.state().depth
    assert 10 < taken < 30
    queue.away = False
    _until(lambda: broker.state().depth == 0)
    assert len(queue.taken) == taken
    _publish(broker, "y")  # what was freed can be used again
    _until(lambda: queue.taken[-1] == "y")


def test_a_full_disk_refuses(queue, opened):
    broker = opened(kept_free_bytes=10**18)
    queue.away = True
    with pytest.raises(Unavailable, match="the disk of the spool is full"):
        _publish(broker, "a")


def test_the_age_is_that_of_the_oldest(queue, opened):
    broker = opened()
    queue.away = True
    _publish(broker, "a")
    _until(lambda: broker.state().age_s > 0.05)
