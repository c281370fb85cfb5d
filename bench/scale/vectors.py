"""Vectors like those of product texts, made chunk by chunk: departments, categories, lines of near-duplicates.

Embeddings of texts crowd: few directions hold most of their variance, and products sit in clusters of very unequal
size. Here latent coordinates fade as 1/√i, categories are Zipf, and a product is its department, its category, its
line and something of its own. Synthetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DIM, CHUNK = 384, 20_000
DEPARTMENTS, CATEGORIES, LINE_SIZE = 40, 1_000, 40
SHARES = (0.5, 0.7, 0.6, 0.45)  # standard deviations of department, category, line, product


@dataclass(frozen=True, slots=True)
class Places:
    """Of each product (n,) its category and its line; of each category its department."""

    category: npt.NDArray[np.int32]
    line: npt.NDArray[np.int32]
    department: npt.NDArray[np.int32]


def placed(n: int, seed: int) -> Places:
    """Where `n` products stand: categories Zipf(1.0), lines of LINE_SIZE products on average within a category."""
    rng = np.random.default_rng(seed)
    weights = 1.0 / np.arange(1, CATEGORIES + 1)
    category = rng.choice(CATEGORIES, n, p=weights / weights.sum()).astype(np.int32)
    lines = np.maximum(1, np.bincount(category, minlength=CATEGORIES) // LINE_SIZE)
    first = np.concatenate([[0], np.cumsum(lines)[:-1]])
    line = (first[category] + (rng.random(n) ** 1.5 * lines[category]).astype(np.int64)).astype(np.int32)
    return Places(category, line, rng.integers(DEPARTMENTS, size=CATEGORIES).astype(np.int32))


def vectors(places: Places, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    """L2-normalised (CHUNK, DIM) blocks, in the order of the products, alike for one seed."""
    rng = np.random.default_rng(seed + 1)
    fading = (1.0 / np.sqrt(np.arange(1, DIM + 1))).astype(np.float32)
    turn = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0].astype(np.float32)
    scale = (fading / np.sqrt((fading**2).sum()))[:, None] * turn
    departments, categories = (
        rng.standard_normal((count, DIM), np.float32) * np.float32(share)
        for count, share in zip((DEPARTMENTS, CATEGORIES), SHARES, strict=False)
    )
    centres = departments[places.department] + categories
    lines = int(places.line.max()) + 1
    line_noise = rng.standard_normal((lines, DIM), np.float32) * np.float32(SHARES[2])
    for begin in range(0, len(places.category), CHUNK):
        part = slice(begin, begin + CHUNK)
        latent = centres[places.category[part]] + line_noise[places.line[part]]
        latent += rng.standard_normal(latent.shape, np.float32) * np.float32(SHARES[3])
        made = latent @ scale
        yield (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
