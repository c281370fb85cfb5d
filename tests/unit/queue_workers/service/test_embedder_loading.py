"""The embedder loads in the background; until then, asking for it says so."""

import threading
from collections.abc import Callable

import pytest

from meshkit.errors import FailedPrecondition, Unavailable
from queue_workers.service.embedder_loading import EmbedderLoading
from reco_svc.adapters.lsa_embedder import LsaEmbedder
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.ports import Embedder


def _ended(load: Callable[[], Embedder | None]) -> EmbedderLoading:
    loading = EmbedderLoading(load, lambda: "chosen for a reason")
    loading.start()
    assert loading.wait(10)
    return loading


def test_while_it_loads_it_is_unavailable_and_then_there() -> None:
    go, embedder = threading.Event(), LsaEmbedder(LexicalProjection.empty(4))

    def load() -> Embedder:
        assert go.wait(10)
        return embedder

    loading = EmbedderLoading(load, lambda: "chosen for a reason")
    loading.start()
    assert loading.note == "loading"
    with pytest.raises(Unavailable, match="loading"):
        loading()
    go.set()
    assert loading.wait(10)
    assert (loading(), loading.note, loading.trouble) == (embedder, "chosen for a reason", "")


def test_none_is_an_answer() -> None:
    assert _ended(lambda: None)() is None


@pytest.mark.parametrize(
    ("error", "said"), [(FailedPrecondition("no weights"), "no weights"), (OSError("gone"), "OSError: gone")]
)
def test_one_that_can_not_be_loaded_is_trouble(error: Exception, said: str) -> None:
    def load() -> Embedder:
        raise error

    loading = _ended(load)
    assert (loading.trouble, loading.note) == (said, f"failed: {said}")
    with pytest.raises(Unavailable, match=said):
        loading()
