"""Loading the text embedder in the background: it takes seconds, and events must not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from meshkit.errors import RecomeshError, Unavailable
from reco_svc.domain.ports import Embedder

log = structlog.get_logger()


class EmbedderLoading:
    """Calls `load` once, in a thread, and embeds a word to warm up.

    `load` answers the embedder, or None if texts are embedded at training time only; `describe` says what it chose and
    why.
    """

    def __init__(self, load: Callable[[], Embedder | None], describe: Callable[[], str]) -> None:
        self._load = load
        self._describe = describe
        self._ended = threading.Event()
        self._embedder: Embedder | None = None
        self.trouble = ""
        self.note = "loading"
        self._thread = threading.Thread(target=self._run, name="load-embedder", daemon=True)

    def start(self) -> None:
        """Begins to load."""
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """True once loading has ended, well or not."""
        return self._ended.wait(timeout_s)

    def __call__(self) -> Embedder | None:
        """The embedder, None if there is none by choice; Unavailable while it loads or if it could not."""
        if not self._ended.is_set() or self.trouble:
            raise Unavailable("embedder", self.trouble or "the embedder is loading")
        return self._embedder

    def _run(self) -> None:
        try:
            self._embedder = self._load()
            if self._embedder is not None:
                self._embedder.embed(["warm up"])
            self.note = self._describe()
        except Exception as error:
            known = isinstance(error, RecomeshError)
            self.trouble = error.message if isinstance(error, RecomeshError) else f"{type(error).__name__}: {error}"
            self.note = f"failed: {self.trouble}"
            log.error("embedder_failed", error=self.trouble, exc_info=None if known else error)
        finally:
            self._ended.set()
