"""Fitting a LexicalProjection: onto the vectors of an embedder, or as an embedding of its own.

Texts become TF-IDF vectors over words and pieces of words, reduced by a truncated SVD (latent semantic analysis,
Deerwester et al. 1990). Onto given vectors, a ridge regression follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from reco_svc.domain.lexical import LexicalProjection, tokens
from reco_svc.domain.ports import Vectors

MOST_TOKENS = 30_000
MOST_TEXTS = 50_000
RANK = 320
RIDGE = 0.3
LSA_DIM = 256
SEED = 11


def fit_projection(texts: Sequence[str], targets: Vectors) -> LexicalProjection:
    """From texts to `targets` (len(texts), dim), L2-normalised. Knows no word when there are no texts.

    Of more than MOST_TEXTS texts an evenly spread sample is used.
    """
    step = max(1, len(texts) // MOST_TEXTS)
    texts, targets = texts[::step], np.asarray(targets[::step], np.float32)
    vocabulary, idf, matrix = tf_idf(texts)
    if not vocabulary:
        return LexicalProjection.empty(targets.shape[1])
    axes = _axes(matrix, RANK)
    reduced = np.asarray(matrix @ axes)
    square = reduced.T @ reduced
    square[np.diag_indices(len(square))] += RIDGE
    onto = np.linalg.solve(square, reduced.T @ targets)
    return LexicalProjection(vocabulary, (idf[:, None] * (axes @ onto)).astype(np.float32))


def fit_lsa(texts: Sequence[str], dim: int = LSA_DIM) -> LexicalProjection:
    """Latent semantic analysis of the texts themselves; axes that a small catalog does not have are zero."""
    vocabulary, idf, matrix = tf_idf(texts[:: max(1, len(texts) // MOST_TEXTS)])
    out = np.zeros((len(vocabulary), dim), np.float32)
    if vocabulary:
        axes = _axes(matrix, dim)
        out[:, : axes.shape[1]] = idf[:, None] * axes
    return LexicalProjection(vocabulary, out)


def tf_idf(texts: Sequence[str]) -> tuple[dict[str, int], Vectors, sparse.csr_matrix]:
    """Vocabulary, idf (v,), and L2-normalised (1 + log tf) · idf rows (len(texts), v)."""
    counted = [Counter(tokens(text)) for text in texts]
    frequency = Counter(token for counts in counted for token in counts)
    least = 2 if len(texts) >= 50 else 1
    kept = sorted((t for t, f in frequency.items() if f >= least), key=lambda t: (-frequency[t], t))[:MOST_TOKENS]
    vocabulary = {token: at for at, token in enumerate(kept)}
    idf = np.array([1.0 + np.log((1 + len(texts)) / (1 + frequency[t])) for t in kept], np.float32)
    ptr, columns, values = [0], [], []
    for counts in counted:
        for token, count in counts.items():
            at = vocabulary.get(token)
            if at is not None:
                columns.append(at)
                values.append(1.0 + np.log(count))
        ptr.append(len(columns))
    matrix = sparse.csr_matrix((np.array(values, np.float32), columns, ptr), shape=(len(texts), len(kept)))
    matrix = matrix @ sparse.diags(idf)
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    return vocabulary, idf, (sparse.diags(1.0 / np.maximum(norms, 1e-9)) @ matrix).tocsr().astype(np.float32)


def _axes(matrix: sparse.csr_matrix, rank: int) -> Vectors:
    """(v, r) right singular vectors, strongest first; r <= rank."""
    from sklearn.utils.extmath import randomized_svd  # a second to import, and only training needs it

    most = min(rank, *matrix.shape)
    _, strength, rows = randomized_svd(matrix, most, n_iter=3, random_state=SEED)
    axes: Vectors = rows[strength > 1e-6].T.astype(np.float32)
    return axes
