"""Use case: vectors for the texts of products, each text embedded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reco_svc.domain.ports import CatalogReader, Embedder, EmbeddingStore
from reco_svc.domain.product_text import product_text, text_hash

BATCH = 256


class EmbedProducts:
    """Embeds what the store does not hold yet.

    `embedder` is asked for at each call, because it loads in the background; None means that products are embedded at
    training time only.
    """

    def __init__(
        self, catalog: CatalogReader, embeddings: EmbeddingStore, embedder: Callable[[], Embedder | None]
    ) -> None:
        self._catalog = catalog
        self._embeddings = embeddings
        self._embedder = embedder

    def __call__(self, product_ids: Sequence[str]) -> int:
        """Returns how many texts were embedded; products that no longer exist are passed over."""
        embedder = self._embedder()
        if embedder is None:
            return 0
        embedded = 0
        for start in range(0, len(product_ids), BATCH):
            products = self._catalog.products(product_ids[start : start + BATCH])
            texts = {text_hash(text): text for text in map(product_text, products)}
            known = self._embeddings.get(embedder.name, list(texts))
            missing = [h for h in texts if h not in known]
            if missing:
                self._embeddings.put(embedder.name, missing, embedder.embed([texts[h] for h in missing]))
                embedded += len(missing)
        return embedded
