"""An index of cells over a handful of vectors, for kernels to be tried on before there is a large shop."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from reco_svc.adapters.cell_vector_index import Cells, CellVectorIndex
from reco_svc.domain.ports import Vectors


def trial_index(vectors: Vectors) -> CellVectorIndex:
    """Of (n, dim) vectors: all in one cell, of one direction; arrays are read-only, as those of files are."""
    n, dim = vectors.shape
    cells = Cells(
        directions=np.ones((1, dim), np.float32),
        centres=np.ones((1, 1), np.float32),
        ptr=np.array([0, n], np.int64),
        rows=np.arange(n, dtype=np.int32),
        codes=np.ones((n, 1), np.int8),
        scale=np.ones(1, np.float32),
        compared=np.array([n], np.int64),
    )
    for array in (getattr(cells, field.name) for field in fields(cells)):
        array.setflags(write=False)
    return CellVectorIndex(cells, vectors)
