"""Which embedder a worker uses: MiniLM where torch and the weights are there, else latent semantic analysis."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import structlog

from meshkit.errors import FailedPrecondition
from reco_svc.adapters.lsa_embedder import LsaEmbedder
from reco_svc.adapters.minilm_embedder import MiniLmEmbedder
from reco_svc.domain.ports import Embedder

log = structlog.get_logger()
Wanted = Literal["auto", "minilm", "lsa"]


class EmbedderChoice:
    """Decides on first use, which may take seconds, and once. `note` says what was chosen and why, "" before."""

    def __init__(self, wanted: Wanted, weights: Path | None = None) -> None:
        self.note = ""
        self._wanted = wanted
        self._weights = weights
        self._model: MiniLmEmbedder | None = None
        self._lock = threading.Lock()

    def model(self) -> Embedder | None:
        """The language model, loaded; None when latent semantic analysis stands in, which only training can fit.

        FailedPrecondition when "minilm" is wanted and can not be had.
        """
        with self._lock:
            if not self.note:
                self._decide()
            return self._model

    def for_catalog(self, texts: Sequence[str]) -> Embedder:
        """The embedder for a catalog of these texts."""
        return self.model() or LsaEmbedder.fit(texts)

    def _decide(self) -> None:
        if self._wanted == "lsa":
            self.note = "LSA: TF-IDF + SVD, as configured"
        else:
            try:
                self._model = MiniLmEmbedder.open(self._weights)
                self.note = "MiniLM 1110a243"
            except FailedPrecondition as error:
                if self._wanted == "minilm":
                    raise
                self.note = f"LSA: TF-IDF + SVD, because {error.message}"
        log.info("embedder", choice=self.note)


def open_embedder(wanted: Wanted = "auto", weights: Path | None = None) -> EmbedderChoice:
    """`weights` is a folder of all-MiniLM-L6-v2; None: the installed package, then the local model cache."""
    return EmbedderChoice(wanted, weights)
