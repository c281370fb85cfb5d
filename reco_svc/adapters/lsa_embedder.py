"""The embedder where torch or the weights are absent: latent semantic analysis of the catalog itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reco_svc.domain.learning.projection import fit_lsa
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.ports import Vectors


class LsaEmbedder:
    """See `domain.ports.Embedder`. Its name holds a hash of what it learned: vectors of two of them never mix."""

    def __init__(self, projection: LexicalProjection) -> None:
        self.projection = projection
        learned = "\n".join(projection.vocabulary).encode() + projection.matrix.tobytes()
        self.name = "lsa-" + hashlib.blake2b(learned, digest_size=6).hexdigest()
        self.dim = projection.dim

    @classmethod
    def fit(cls, texts: Sequence[str]) -> LsaEmbedder:
        """Learns from all texts of a catalog; the same texts give the same embedder."""
        return cls(fit_lsa(texts))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See the port."""
        return self.projection.vectors(texts)
