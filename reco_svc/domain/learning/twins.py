"""Near-duplicates: products listed twice, or as one color or size each, without a group that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from reco_svc.domain.lexical import words
from reco_svc.domain.ports import Ints, Vectors
from reco_svc.domain.snapshot import Graph

NEAR = 0.97  # cosine of the vectors of two near-duplicates, at least
SHARED = 0.75  # of the words of the longer title, at least
MOST_LIKE = 64  # products whose titles have the same words but one: more are a family, not duplicates
_SIZE = re.compile(
    r"\b\d+(?:[.,]\d+)?\s?(?:mm|cm|m|km|in|inch|inches|ft|ml|cl|l|g|kg|oz|lb|lbs|w|v|pcs|pieces|pack)\b"
    r"|\b(?:xxs|xs|s|m|l|xl|xxl|xxxl|\d+xl)\b",
    re.IGNORECASE,
)


def near_duplicates(titles: Sequence[str], vectors: Vectors, apart: Graph, near: float = NEAR) -> Ints:
    """For each product the first row of its near-duplicates (n,), -1 for a product without any.

    Near-duplicates have titles that differ in one word at most, sizes aside, and share SHARED of the longer one's, and
    vectors (n, dim), normalised, with a cosine of at least `near`. Neighbours in `apart` (bought together) never are:
    who takes both does not take them for the same. Each product joins the first that is near to it and has joined no
    other, so that there are no chains. The time grows with the number of products; `near` above 1 finds none.
    """
    first = np.full(len(titles), -1, np.int32)
    known: dict[tuple[str, ...], list[int]] = {}
    named: dict[int, frozenset[str]] = {}
    for row, title in enumerate(titles if near <= 1.0 else ()):
        own = frozenset(words(_SIZE.sub(" ", title)) or words(title))
        keys = list(_keys(own))
        like = sorted({other for key in keys for other in known.get(key, ())})
        nearest = (other for other in _near(like, row, vectors, near) if _same(own, named[other]))
        joined = next((other for other in nearest if not _together(apart, row, other)), -1)
        if joined >= 0:
            first[[row, joined]] = joined
            continue
        named[row] = own
        for key in keys:
            place = known.setdefault(key, [])
            if len(place) < MOST_LIKE:
                place.append(row)
    return first


def _keys(own: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """The words in order, and without each of them where enough are left to be SHARED."""
    ordered = tuple(sorted(own))
    if ordered:
        yield ordered
    if ordered and len(ordered) - 1 >= SHARED * len(ordered):
        yield from (ordered[:at] + ordered[at + 1 :] for at in range(len(ordered)))


def _near(rows: Sequence[int], row: int, vectors: Vectors, near: float) -> Iterator[int]:
    """Those of the rows with a cosine to `row` of at least `near`, in order."""
    if rows:
        cosines = np.asarray(vectors[list(rows)], np.float32) @ np.asarray(vectors[row], np.float32)
        yield from (other for other, cosine in zip(rows, cosines.tolist(), strict=True) if cosine >= near)


def _same(own: frozenset[str], other: frozenset[str]) -> bool:
    return len(own & other) >= SHARED * max(len(own), len(other))


def _together(graph: Graph, row: int, other: int) -> bool:
    return bool((graph.of(row)[0] == other).any() or (graph.of(other)[0] == row).any())
