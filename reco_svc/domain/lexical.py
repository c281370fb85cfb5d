"""From words to the embedding space without a language model: tokens, their weights, a learned projection.

It stands in for the embedder where torch must not be loaded: for search queries and for products whose vector has not
arrived yet. It is also, with another matrix, the fallback embedder (latent semantic analysis; Deerwester et al. 1990).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reco_svc.domain.ports import Vectors

_WORD = re.compile(r"\w+")
GRAM = 4
WIDE_GRAM = 2  # for scripts in which a few letters are a word
MAX_TOKENS = 400


def words(text: str) -> list[str]:
    """Words without case and accents, in order."""
    return _WORD.findall(_plain(text))


def tokens(text: str) -> list[str]:
    """Words without case and accents, and the four-letter pieces of each ("#mugs#" → "#mug", "mugs", "ugs#"); of words
    in ideographs the two-letter pieces. At most MAX_TOKENS."""
    found: list[str] = []
    for word in words(text[: 8 * MAX_TOKENS]):
        found.append(word)
        framed = f"#{word}#"
        size = WIDE_GRAM if word[0] >= "\u2e80" else GRAM
        found += [framed[i : i + size] for i in range(len(framed) - size + 1)]
        if len(found) >= MAX_TOKENS:
            break
    return found[:MAX_TOKENS]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


@dataclass(frozen=True, slots=True)
class LexicalProjection:
    """`vocabulary` maps a token to its row in `matrix` (v, dim), into which the token's idf is already multiplied."""

    vocabulary: Mapping[str, int]
    matrix: Vectors

    @classmethod
    def empty(cls, dim: int = 384) -> LexicalProjection:
        """Knows no word."""
        return cls({}, np.zeros((0, dim), np.float32))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.matrix.shape[1])

    def vector(self, text: str) -> Vectors | None:
        """(dim,), L2-normalised; None if no token is known."""
        counted = Counter(t for t in tokens(text) if t in self.vocabulary)
        if not counted:
            return None
        rows = [self.vocabulary[t] for t in counted]
        weights = 1.0 + np.log(np.fromiter(counted.values(), np.float32))
        summed = weights @ np.asarray(self.matrix[rows], np.float32)
        norm = float(np.linalg.norm(summed))
        return None if norm == 0.0 else (summed / norm).astype(np.float32)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dim); zero rows for texts without a known token."""
        out = np.zeros((len(texts), self.dim), np.float32)
        for at, text in enumerate(texts):
            if (found := self.vector(text)) is not None:
                out[at] = found
        return out
