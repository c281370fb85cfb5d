"""Creating and replacing products."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from catalog_svc.domain.model import Product, Rejection, Written
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.domain.validation import violations_of

MAX_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of a batch; rejections by index."""

    written: Written
    rejected: tuple[Rejection, ...]


def upsert_products(
    repository: ProductRepository, candidates: Iterable[tuple[int, Product]], now: datetime
) -> Upserted:
    """Stores the valid ones of (index, product) pairs together; of several wrong fields the first is reported."""
    good: list[Product] = []
    rejected: list[Rejection] = []
    for index, product in candidates:
        violations = violations_of(product)
        if violations:
            first = violations[0]
            rejected.append(Rejection(index, product.product_id, first.field, first.description))
        else:
            good.append(product)
    written = repository.upsert(good, now) if good else Written(revision=repository.revision())
    return Upserted(written, tuple(rejected))
