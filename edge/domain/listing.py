"""Lists of products, categories, changes and ages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.domain.card import Card

RANK_CONSTANT = 60


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A page of cards; `next_page_token` is "" on the last."""

    cards: tuple[Card, ...]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """A category path and how many visible products are in and below it."""

    path: str
    product_count: int


@dataclass(frozen=True, slots=True)
class CatalogChanges:
    """Products at their state now, deleted ones as gone cards, in revision order."""

    cards: tuple[Card, ...]
    next_revision: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class FreshnessEntry:
    """Age of one kind of data; `as_of` None: never."""

    name: str
    as_of: datetime | None
    age_s: float
    note: str = ""


def fused_by_rank(*rankings: Sequence[str]) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009): ids by the sum of 1 / (60 + rank), ties by id."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, product_id in enumerate(ranking, 1):
            scores[product_id] = scores.get(product_id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    return sorted(scores, key=lambda product_id: (-scores[product_id], product_id))
