"""Jobs that call other services: embedding what changed, finishing erasures."""

from importlib.util import find_spec

import numpy as np
import orjson
import pytest

from meshkit.broker.open import open_broker
from meshkit.broker.port import Message
from meshkit.topics import PRODUCT_CHANGED, VISITOR_ERASED
from tests.support.fake_services import product
from tests.support.processes import wait_until

EMBEDDER = "minilm-1110a243"
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the extra `embed` is not installed")


@pytest.fixture
def queue(connected):
    broker = open_broker(connected.settings.sqlite_url("queue.db"))
    yield broker
    broker.close()


def _changed(*product_ids: str) -> Message:
    return Message(PRODUCT_CHANGED, orjson.dumps({"product_ids": product_ids, "revision": 1}))


def _vectors(workers) -> list[np.ndarray]:
    rows = workers.rows(f"SELECT vector FROM reco_embedding WHERE embedder = '{EMBEDDER}'")
    return [np.frombuffer(vector, "<f2").astype(np.float32) for (vector,) in rows]


@needs_torch
def test_changed_products_are_embedded_once_per_text(connected, mesh, queue) -> None:
    for number in range(3):
        mesh.catalog.put(product(f"p{number}", title=f"Chef knife {number}"))
    mesh.catalog.put(product("twin", title="Chef knife 0"))
    queue.publish([_changed("p0", "p1", "gone", "twin")])
    with connected.running():
        wait_until(lambda: connected.embedder().startswith("MiniLM"), within_s=180, what="a loaded embedder")
        wait_until(lambda: queue.depth(PRODUCT_CHANGED) == 0, within_s=60, what="an empty queue")
        assert len(_vectors(connected)) == 2
        queue.publish([_changed("p1"), _changed("p2", "p0")])
        wait_until(lambda: queue.depth(PRODUCT_CHANGED) == 0, within_s=60, what="an empty queue")
    assert queue.dead_letter_count(PRODUCT_CHANGED) == 0
    vectors = _vectors(connected)
    assert [v.shape for v in vectors] == [(384,)] * 3
    assert np.allclose([np.linalg.norm(v) for v in vectors], 1.0, atol=1e-3)


@needs_torch
def test_a_stop_while_the_language_model_loads_is_clean(connected) -> None:
    with connected.running() as process:
        assert connected.embedder() == "loading"
        process.terminate()
        assert process.wait(30) == 0


def test_an_erasure_waits_for_a_recommender_that_is_away(connected, mesh, queue) -> None:
    mesh.away("reco")
    queue.publish([Message(VISITOR_ERASED, orjson.dumps({"visitor_id": v, "at": "2026"})) for v in ("v1", "v2")])
    with connected.running():
        wait_until(lambda: connected.topic(VISITOR_ERASED)["last_error"], what="the trouble to show")
        assert queue.depth(VISITOR_ERASED) == 2
        mesh.back("reco")
        wait_until(lambda: queue.depth(VISITOR_ERASED) == 0, what="an empty queue")
    assert set(mesh.reco.erased) == {"v1", "v2"}
    assert queue.dead_letter_count(VISITOR_ERASED) == 0
