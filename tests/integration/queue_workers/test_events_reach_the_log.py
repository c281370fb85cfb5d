"""Real worker processes, queue and database: every event once, whatever is killed; poison ends alone."""

import threading
from datetime import UTC, datetime, timedelta

import orjson

from meshkit.broker.port import MAX_ATTEMPTS, Message
from meshkit.topics import INTERACTIONS
from reco_svc.domain.model import EventType, Interaction
from reco_svc.service.interaction_codec import to_dict
from tests.support.processes import wait_until

START = datetime(2026, 1, 31, 8, tzinfo=UTC)


def _message(*numbers: int) -> Message:
    events = [
        to_dict(
            Interaction(
                event_id=f"e{n}",
                type=EventType.VIEW_ITEM,
                visitor_id=f"v{n % 7}",
                product_id=f"p{n % 5}",
                at=START + timedelta(seconds=n),
            )
        )
        for n in numbers
    ]
    return Message(INTERACTIONS, orjson.dumps({"events": events}), key=f"v{numbers[0] % 7}")


def test_killed_workers_lose_nothing_and_write_nothing_twice(workers, queue) -> None:
    confirmed: list[int] = []
    stop = threading.Event()

    def publish() -> None:
        number = 0
        while not stop.is_set():
            queue.publish([_message(number, number + 1), _message(number + 1, number + 2)])  # one event twice
            confirmed.extend((number, number + 1, number + 2))
            number += 3

    def written() -> int:
        return workers.rows("SELECT count(*) FROM reco_interaction")[0][0]

    publisher = threading.Thread(target=publish)
    publisher.start()
    before = 0
    for _ in range(3):
        with workers.running() as process:
            wait_until(lambda: written() > before, what="events written")  # noqa: B023
            process.kill()
            process.wait(10)
        before = written()
    stop.set()
    publisher.join(10)
    with workers.running():
        wait_until(lambda: queue.depth(INTERACTIONS) == 0, within_s=60, what="an empty queue")
    stored = [event_id for (event_id,) in workers.rows("SELECT event_id FROM reco_interaction")]
    assert sorted(stored) == sorted({f"e{n}" for n in confirmed})
    counted = workers.rows("SELECT sum(events) FROM reco_hourly_count")[0][0]
    assert counted == len(stored)
    assert queue.dead_letter_count(INTERACTIONS) == 0


def test_poison_is_a_dead_letter_after_five_attempts_and_its_batch_is_written(workers, queue) -> None:
    queue.publish([_message(1), Message(INTERACTIONS, b'{"events": [{"event_id": "bad"}]}', key="v1"), _message(2)])
    with workers.running():
        wait_until(lambda: queue.dead_letter_count(INTERACTIONS) == 1, within_s=60, what="a dead letter")
        assert workers.topic(INTERACTIONS)["dead_letters"] == 1
        queue.publish([_message(3)])
        wait_until(lambda: queue.depth(INTERACTIONS) == 0, what="an empty queue")
        metrics = workers.metrics()
    (letter,) = queue.dead_letters(INTERACTIONS)
    assert letter.attempts == MAX_ATTEMPTS
    assert "can not be read" in letter.reason
    assert sorted(workers.rows("SELECT event_id FROM reco_interaction")) == [("e1",), ("e2",), ("e3",)]
    assert 'recomesh_worker_messages_total{outcome="done",topic="interactions"} 3.0' in metrics
    assert 'recomesh_worker_messages_total{outcome="failed",topic="interactions"} 5.0' in metrics
    assert 'recomesh_queue_dead_letters{topic="interactions"} 1.0' in metrics


def test_a_clean_stop_leaves_the_rest_in_the_queue(workers, queue) -> None:
    with workers.running() as process:
        queue.publish([_message(n) for n in range(5_000)])
        wait_until(lambda: workers.rows("SELECT count(*) FROM reco_interaction")[0][0], what="a first batch")
        process.terminate()
        assert process.wait(20) == 0
    written = workers.rows("SELECT count(*) FROM reco_interaction")[0][0]
    assert written + queue.depth(INTERACTIONS) == 5_000
    assert {d.attempt for d in queue.receive(INTERACTIONS, limit=10_000, wait_s=0)} <= {1}
