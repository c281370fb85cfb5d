import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshkit.broker.port import Broker, Message
from meshkit.broker.sqlite_broker import SqliteBroker


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Broker]:
    broker = SqliteBroker(tmp_path / "home" / "queue.db")
    yield broker
    broker.close()


def _bury(queue: Broker, body: str, topic: str = "interactions") -> None:
    queue.publish([Message(topic, body.encode(), key="v1")])
    queue.bury(queue.receive(topic, limit=1, wait_s=0)[0], reason="can not be read")


def test_topics_are_listed_with_what_waits_and_what_is_dead(recomesh, queue):
    _bury(queue, "x")
    queue.publish([Message("train", b"{}")] * 2)
    rows = {row["topic"]: row for row in json.loads(recomesh("queue", "list", "--json").stdout)}
    assert rows["interactions"] == {"topic": "interactions", "waiting": 0, "dead_letters": 1}
    assert rows["train"]["waiting"] == 2
    assert "dead letters" in recomesh("queue", "list").stdout


def test_dead_letters_are_shown_with_their_reason(recomesh, queue):
    _bury(queue, '{"events": 7}')
    shown = recomesh("queue", "peek", "--topic", "interactions").stdout
    assert "can not be read" in shown
    assert '{"events": 7}' in shown
    (letter,) = json.loads(recomesh("queue", "peek", "--json").stdout)
    assert (letter["body"], letter["key"], letter["attempts"]) == ('{"events": 7}', "v1", 1)
    assert recomesh("queue", "peek", "--topic", "train").stdout == "No dead letters.\n"


def test_dead_letters_are_replayed(recomesh, queue):
    _bury(queue, "a")
    _bury(queue, "b")
    first = queue.dead_letters("interactions")[0].letter_id
    assert recomesh("queue", "replay", "--id", first).stdout == "Replayed 1 of interactions.\n"
    assert [d.message.body for d in queue.receive("interactions", limit=5, wait_s=0)] == [b"a"]
    assert json.loads(recomesh("queue", "replay", "--topic", "interactions", "--json").stdout) == {
        "replayed": {"interactions": 1}
    }


def test_an_unknown_id_is_told(recomesh, queue):
    answer = recomesh("queue", "replay", "--id", "4711")
    assert answer.exit_code == 1
    assert "recomesh queue peek" in answer.stderr


def test_dead_letters_are_purged_after_a_question(recomesh, queue):
    _bury(queue, "a")
    assert recomesh("queue", "purge").exit_code == 1  # nobody says yes
    assert queue.dead_letter_count("interactions") == 1
    assert recomesh("queue", "purge", "--yes").stdout == "Purged 1 of interactions.\n"
    assert queue.dead_letter_count("interactions") == 0


def test_an_unknown_topic_is_a_misuse_that_names_the_known(recomesh, queue):
    answer = recomesh("queue", "list", "--topic", "clicks")
    assert answer.exit_code == 2
    assert "product_changed" in answer.stderr


def test_without_a_queue_it_says_how_to_make_one(recomesh):
    answer = recomesh("queue", "list")
    assert answer.exit_code == 1
    assert "recomesh up" in answer.stderr
