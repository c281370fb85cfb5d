"""The internal port: health, status and metrics of topics."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from meshkit import topics
from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.port import Message
from meshkit.errors import Unavailable
from meshkit.health import Health
from queue_workers.transport.consumer import Consumer, Subscription
from queue_workers.transport.internal import internal_app


class AwayBroker(MemoryBroker):
    """Can not be reached."""

    def depth(self, topic: str) -> int:
        raise Unavailable("queue")

    dead_letter_count = depth


def _client(broker: MemoryBroker, health: Health | None = None) -> TestClient:
    consumer = Consumer(broker, Subscription(topics.INTERACTIONS, lambda _: None))
    return TestClient(internal_app(health or Health(["queue"]), broker, [consumer], lambda: "MiniLM"))


def test_status_tells_depth_dead_letters_and_errors_by_topic() -> None:
    broker = MemoryBroker()
    broker.publish([Message(topics.INTERACTIONS, b"a"), Message(topics.INTERACTIONS, b"b")])
    broker.bury(broker.receive(topics.INTERACTIONS, limit=1, wait_s=0)[0], reason="x")
    body = _client(broker).get("/status").json()
    assert (body["ready"], body["embedder"], set(body["topics"])) == (False, "MiniLM", set(topics.ALL))
    assert (body["queue_server"]["name"], body["queue_server"]["trouble"]) == ("embedded", "")
    assert body["topics"]["interactions"] == {
        "depth": 1,
        "dead_letters": 1,
        "oldest_s": 0.0,
        "busy": 0,
        "consumers": 0,
        "last_error": "",
    }


def test_metrics_tell_the_same() -> None:
    broker = MemoryBroker()
    broker.publish([Message(topics.TRAIN, b"a")])
    families = text_string_to_metric_families(_client(broker).get("/metrics").text)
    samples = {(s.name, s.labels.get("topic")): s.value for family in families for s in family.samples}
    assert samples["recomesh_queue_depth", "train"] == 1
    assert samples["recomesh_queue_dead_letters", "train"] == 0
    assert samples["recomesh_worker_lag_seconds", "train"] == 0


def test_with_the_queue_away_everything_still_answers() -> None:
    client = _client(AwayBroker())
    assert client.get("/status").json()["topics"]["train"]["depth"] is None
    assert client.get("/metrics").status_code == 200
    assert client.get("/livez").status_code == 200


def test_readiness_is_that_of_the_parts() -> None:
    health = Health(["queue"])
    client = _client(MemoryBroker(), health)
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (503, {"queue": "starting"})
    asyncio.run(health.set("queue"))
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"queue": "ok"})
