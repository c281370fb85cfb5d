"""EmbeddingStore on the ORM's tables.

Vectors are kept as 16-bit floats by default: half the space, and for normalised vectors an error of similarity below
0.001, less than an approximate index costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from reco_svc.adapters.django_session import flat, reading, values, writing
from reco_svc.domain.ports import Vectors

_DTYPES = {"float16": "<f2", "float32": "<f4"}
_BATCH = 500


class DjangoEmbeddingStore:
    """See `domain.ports.EmbeddingStore`."""

    def __init__(self, *, precision: Literal["float16", "float32"] = "float16") -> None:
        self._dtype = _DTYPES[precision]

    def get(self, embedder: str, hashes: Sequence[str]) -> Mapping[str, Vectors]:
        """float32, whatever they are stored as."""
        found: dict[str, Vectors] = {}
        wanted = list(dict.fromkeys(hashes))
        with reading() as cursor:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                marks = ", ".join(["%s"] * len(batch))
                cursor.execute(
                    "SELECT text_hash, dtype, vector FROM reco_embedding"
                    f" WHERE embedder = %s AND text_hash IN ({marks})",
                    [embedder, *batch],
                )
                for text_hash, dtype, vector in cursor.fetchall():
                    found[text_hash] = np.frombuffer(vector, dtype).astype(np.float32)
        return found

    def put(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """All or nothing. ValueError unless there is a vector for each hash."""
        if len(hashes) != len(vectors):
            raise ValueError(f"{len(hashes)} hashes with {len(vectors)} vectors")
        stored = np.asarray(vectors, self._dtype)
        rows = [(embedder, h, self._dtype, v.tobytes()) for h, v in zip(hashes, stored, strict=True)]
        rows.sort()  # two workers with the same texts wait for each other, and never both
        with writing() as cursor:
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                cursor.execute(
                    f"INSERT INTO reco_embedding (embedder, text_hash, dtype, vector) VALUES {values(len(batch), 4)}"
                    " ON CONFLICT (embedder, text_hash) DO NOTHING",
                    flat(batch),
                )
