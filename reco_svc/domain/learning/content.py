"""Which products are alike by what the catalog says of them: TF-IDF of their texts beside the vectors of the embedder.

Words find the same thing under the same name, embeddings find it under another; together they are better than either
(docs/recommending.md has the figures).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from reco_svc.domain.learning.nearest import best_neighbours, joined
from reco_svc.domain.learning.projection import tf_idf
from reco_svc.domain.ports import Mask, Vectors
from reco_svc.domain.snapshot import Graph

WORDS = 0.7  # share of TF-IDF in the likeness of two products; the rest is the cosine of their vectors
NEIGHBOURS = 150  # kept of each product
UNSEEN = 50  # kept beside them, of the products that nobody had yet
BLOCK = 512  # products whose neighbours are looked for at once
MOST_PRODUCTS = 60_000  # of more no graph is made: the time grows with the square
COMMON = 0.05  # share of the catalog from which on a word is too common to look for, in catalogs of MANY or more
MANY = 10_000
BOILERPLATE = 0.05  # share of the catalog from which on a sentence says nothing
LEAST_REPEATS = 20
_SENTENCE = re.compile(r"(?<=[.!?\n])\s+")


def content_graph(texts: Sequence[str], vectors: Vectors, had: Mask) -> Graph:
    """For each product the NEIGHBOURS likest of all and the UNSEEN likest of those that are not `had`, best first.

    `vectors` is (len(texts), dim), normalised; likeness is WORDS · TF-IDF cosine + (1 - WORDS) · cosine of vectors.
    """
    n = len(texts)
    if not 2 <= n <= MOST_PRODUCTS:
        return Graph.empty(n)
    words = _words(texts)
    turned, unseen = words.T.tocsr(), np.flatnonzero(~had)
    blocks = []
    for begin in range(0, n, BLOCK):
        likeness = (np.asarray(vectors[begin : begin + BLOCK], np.float32) @ vectors.T) * np.float32(1 - WORDS)
        likeness += np.float32(WORDS) * (words[begin : begin + BLOCK] @ turned).toarray()
        own = np.arange(len(likeness))
        likeness[own, begin + own] = 0.0
        kept = _greatest(likeness, NEIGHBOURS)
        if 0 < len(unseen) < n:
            kept[:, unseen] |= _greatest(likeness[:, unseen], UNSEEN)
        rows, columns = np.nonzero(kept & (likeness > 0))
        found = sparse.csr_matrix((likeness[rows, columns], (rows, columns)), shape=likeness.shape)
        blocks.append(best_neighbours(found, NEIGHBOURS + UNSEEN))
    return joined(blocks)


def without_boilerplate(texts: Sequence[str]) -> list[str]:
    """The texts without sentences that a BOILERPLATE share of them, and LEAST_REPEATS at least, have in common."""
    split = [_SENTENCE.split(text) for text in texts]
    counts = Counter(sentence for sentences in split for sentence in set(sentences))
    most = max(LEAST_REPEATS, BOILERPLATE * len(texts))
    return [" ".join(s for s in sentences if counts[s] < most) for sentences in split]


def _words(texts: Sequence[str]) -> sparse.csr_matrix:
    """TF-IDF rows; in a large catalog without the commonest words, which cost most and tell least."""
    _, _, words = tf_idf(without_boilerplate(texts))
    if len(texts) < MANY or not words.shape[1]:
        return words
    rare = np.flatnonzero(np.asarray((words > 0).sum(0)).ravel() <= COMMON * len(texts))
    return words[:, rare].tocsr()


def _greatest(likeness: Vectors, most: int) -> Mask:
    """Which entries are among the `most` greatest of their row; entries equal to the last of them too."""
    size = likeness.shape[1]
    if size <= most:
        return np.ones(likeness.shape, np.bool_)
    last = np.partition(likeness, size - most, axis=1)[:, size - most]
    kept: Mask = likeness >= last[:, None]
    return kept
