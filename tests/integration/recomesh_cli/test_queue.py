"""`recomesh queue` on a real RabbitMQ, and on one that is not there."""

import json
import re

import pytest
from typer.testing import CliRunner

from bench.ports import free_ports
from meshkit.broker.port import Message
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.settings import MeshSettings
from recomesh_cli.checks import Verdict
from recomesh_cli.checks.queue import ask_rabbit
from recomesh_cli.main import app


@pytest.fixture
def recomesh(monkeypatch, tmp_path):
    monkeypatch.setenv("RECOMESH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_dead_letters_are_seen_replayed_and_purged(recomesh, monkeypatch, rabbit):
    monkeypatch.setenv("RECOMESH_BROKER_URL", rabbit.url)
    broker = RabbitBroker(rabbit.url)
    try:
        broker.publish([Message("train", body) for body in (b"a", b"b", b"c")])
        for delivery in broker.receive("train", limit=3, wait_s=5):
            broker.bury(delivery, reason="can not be read")
        letters = json.loads(recomesh("queue", "peek", "--topic", "train", "--json").stdout)
        assert [(letter["body"], letter["reason"]) for letter in letters] == [
            (body, "can not be read") for body in "abc"
        ]
        assert recomesh("queue", "replay", "--id", letters[1]["id"]).stdout == "Replayed 1 of train.\n"
        assert [d.message.body for d in broker.receive("train", limit=3, wait_s=5)] == [b"b"]
        assert recomesh("queue", "purge", "--topic", "train", "--yes").stdout == "Purged 2 of train.\n"
        assert recomesh("queue", "peek").stdout == "No dead letters.\n"
    finally:
        broker.close()


def test_doctor_tells_the_version_and_latency_of_the_server_or_what_is_wrong(rabbit):
    good = ask_rabbit(MeshSettings(broker_url=rabbit.url)).check
    assert good.verdict is Verdict.OK
    assert re.search(r"RabbitMQ 3\.\d+\.\d+ at .* answers in \d+\.\d ms", good.found)
    bad = ask_rabbit(MeshSettings(broker_url=rabbit.url.replace("guest:guest", "guest:wrong"))).check
    assert (bad.verdict, "ACCESS_REFUSED" in bad.found, "wrong" in bad.found) == (Verdict.FAIL, True, False)


def test_a_server_that_is_away_is_told_without_its_password(recomesh, monkeypatch):
    (port,) = free_ports(1)
    monkeypatch.setenv("RECOMESH_BROKER_URL", f"amqp://mesh:s3cret@127.0.0.1:{port}/")
    answer = recomesh("queue", "list")
    assert answer.exit_code == 1
    assert f"127.0.0.1:{port}" in answer.stderr
    assert "s3cret" not in answer.stderr + answer.stdout
