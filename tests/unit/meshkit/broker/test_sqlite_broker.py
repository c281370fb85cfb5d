"""The embedded queue: loans, losses, closing, and a file that can not be used."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshkit.broker.port import MAX_ATTEMPTS, Delivery, Message
from meshkit.broker.sqlite_broker import SqliteBroker
from meshkit.errors import Unavailable

TOPIC = "interactions"
Open = Callable[..., SqliteBroker]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "queue.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    brokers = []

    def make(**options: float) -> SqliteBroker:
        brokers.append(SqliteBroker(path, **options))  # type: ignore[arg-type]
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.close()


def _publish(broker: SqliteBroker, *bodies: str) -> None:
    broker.publish([Message(TOPIC, body.encode()) for body in bodies])


def _receive(broker: SqliteBroker, *, limit: int = 100, wait_s: float = 0) -> list[Delivery]:
    return list(broker.receive(TOPIC, limit=limit, wait_s=wait_s))


def _bodies(deliveries: list[Delivery]) -> list[str]:
    return [d.message.body.decode() for d in deliveries]


def test_loans_of_a_closed_broker_come_back_without_counting_as_lost(opened: Open) -> None:
    first = opened()
    _publish(first, "a")
    _receive(first)
    first.close()
    assert [d.attempt for d in _receive(opened())] == [1]


def test_a_closed_broker_refuses_everything(opened: Open) -> None:
    broker = opened()
    _publish(broker, "a")
    held = _receive(broker)
    broker.close()
    for act in (
        lambda: _publish(broker, "b"),
        lambda: _receive(broker),
        lambda: broker.ack(held),
        lambda: broker.depth(TOPIC),
    ):
        with pytest.raises(Unavailable):
            act()
    broker.close()  # again: nothing happens


def test_closing_ends_a_receive_that_waits(opened: Open) -> None:
    broker = opened()
    got: list[list[Delivery]] = []

    def wait() -> None:
        with contextlib.suppress(Unavailable):  # when it began just after
            got.append(_receive(broker, wait_s=60))

    waiter = threading.Thread(target=wait)
    waiter.start()
    while not broker._signals:  # the waiter has begun
        time.sleep(0.001)
    broker.close()
    waiter.join(10)
    assert not waiter.is_alive()
    assert got in ([[]], [])


def test_a_message_published_elsewhere_wakes_a_receiver(opened: Open) -> None:
    here, elsewhere = opened(), opened()
    got: list[str] = []
    waiter = threading.Thread(target=lambda: got.extend(_bodies(_receive(here, wait_s=30))))
    waiter.start()
    _publish(elsewhere, "a")
    waiter.join(10)
    assert got == ["a"]


def test_a_loan_ends_with_its_lease(opened: Open) -> None:
    broker = opened(lease_s=0.05)
    _publish(broker, "a")
    _receive(broker)
    assert [d.attempt for d in _receive(broker, wait_s=10)] == [2]


def test_a_renewed_loan_is_kept(opened: Open) -> None:
    broker = opened(lease_s=0.6)
    _publish(broker, "a")
    held = _receive(broker)
    for _ in range(4):
        assert _receive(broker, wait_s=0.3) == []
        broker.renew(held)
    broker.ack(held)
    assert broker.depth(TOPIC) == 0


def test_who_is_late_can_not_settle_what_another_holds(opened: Open) -> None:
    broker = opened(lease_s=0.05)
    _publish(broker, "a")
    late = _receive(broker)
    current = _receive(broker, wait_s=10)
    broker.ack(late)
    broker.bury(late[0], reason="late")
    broker.retry(late, reason="late", delay_s=0)
    assert (broker.depth(TOPIC), broker.dead_letter_count(TOPIC)) == (1, 0)
    broker.ack(current)
    assert broker.depth(TOPIC) == 0


def test_losses_do_not_count_as_failures(opened: Open) -> None:
    broker = opened(lease_s=0.0, max_losses=10)
    _publish(broker, "a")
    for _ in range(MAX_ATTEMPTS + 2):
        assert _receive(broker, wait_s=10)
    broker.retry(_receive(broker, wait_s=10), reason="busy", delay_s=0)
    assert broker.dead_letter_count(TOPIC) == 0


def test_a_message_that_is_always_lost_is_buried(opened: Open) -> None:
    broker = opened(lease_s=0.0, max_losses=2)
    _publish(broker, "deadly")
    for _ in range(2):
        assert _receive(broker, wait_s=10)
    assert _receive(broker, wait_s=1) == []
    (letter,) = broker.dead_letters(TOPIC)
    assert (letter.message.body, letter.attempts) == (b"deadly", 2)
    assert "died or hung" in letter.reason


def test_a_message_that_failed_is_lent_alone(opened: Open) -> None:
    broker = opened()
    _publish(broker, "a", "b", "c", "d")
    _, b, c, _ = held = _receive(broker)
    broker.retry([b, c], reason="poison?", delay_s=0)
    broker.ack([held[0], held[3]])
    _publish(broker, "e", "f")
    assert [_bodies(_receive(broker)) for _ in range(3)] == [["b"], ["c"], ["e", "f"]]


def test_what_was_lost_once_is_lent_together_and_what_was_lost_twice_alone(opened: Open) -> None:
    broker = opened(lease_s=0.0)
    _publish(broker, "a", "b")
    sizes = [len(_receive(broker, wait_s=10)) for _ in range(3)]
    assert sizes == [2, 2, 1]


def test_a_locked_file_is_unavailable_and_stores_nothing(opened: Open, path: Path) -> None:
    broker = opened(busy_timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="locked"):
        _publish(broker, "a")
    other.execute("ROLLBACK")
    other.close()
    _publish(broker, "b")
    assert _bodies(_receive(broker)) == ["b"]


def test_a_broken_file_is_unavailable_not_a_crash(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but long enough to look at" * 50)
    with pytest.raises(Unavailable, match="can not be used"):
        SqliteBroker(path)


def test_a_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="can not be used"):
        SqliteBroker(tmp_path / "file" / "queue.db")
