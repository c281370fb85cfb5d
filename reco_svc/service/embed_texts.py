"""Vectors for all texts of a catalog, each different text embedded once in its life."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reco_svc.domain.ports import Embedder, EmbeddingStore, Vectors
from reco_svc.domain.product_text import text_hash

BATCH = 512


def embed_texts(
    texts: Sequence[str],
    embedder: Embedder,
    embeddings: EmbeddingStore,
    progress: Callable[[float], None] = lambda share: None,
) -> Vectors:
    """Shape (len(texts), dim), float32, L2-normalised or zero. `progress` hears shares from 0 to 1.

    What the store does not hold yet is embedded and stored, batch by batch, so that an interrupted run loses little.
    """
    out = np.zeros((len(texts), embedder.dim), np.float32)
    for begin in range(0, len(texts), BATCH):
        batch = texts[begin : begin + BATCH]
        hashes = [text_hash(text) for text in batch]
        known = dict(embeddings.get(embedder.name, list(dict.fromkeys(hashes))))
        missing = {h: text for h, text in zip(hashes, batch, strict=True) if h not in known}
        if missing:
            embeddings.put(embedder.name, list(missing), embedder.embed(list(missing.values())))
            known.update(embeddings.get(embedder.name, list(missing)))  # as they stay: stores may round
        out[begin : begin + len(batch)] = np.stack([known[h] for h in hashes])
        progress((begin + len(batch)) / len(texts))
    return out
