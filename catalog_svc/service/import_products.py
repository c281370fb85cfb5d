"""Storing a long stream of products batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from catalog_svc.domain.model import Product, Rejection
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.service.upsert_products import upsert_products

MAX_REPORTED = 1_000


@dataclass(slots=True)
class ImportTotals:
    """The sum of an import so far. `rejected` holds the first 1,000 of `rejected_count`, by index."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected_count: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def store_batch(
    repository: ProductRepository,
    totals: ImportTotals,
    candidates: Iterable[tuple[int, Product]],
    unreadable: Sequence[Rejection],
    now: datetime,
) -> Sequence[Rejection]:
    """Stores one batch and adds it to the totals; returns the refused ones of the batch, `unreadable` included.

    Indexes count along the whole stream. A batch is stored before the next one is looked at, so an interrupted stream
    keeps what it stored, and the same stream sent again changes nothing twice.
    """
    pairs = list(candidates)
    done = upsert_products(repository, pairs, now)
    refused = sorted([*unreadable, *done.rejected], key=lambda r: r.index)
    totals.read += len(pairs) + len(unreadable)
    totals.created += done.written.created
    totals.updated += done.written.updated
    totals.unchanged += done.written.unchanged
    totals.rejected_count += len(refused)
    totals.rejected += refused[: max(0, MAX_REPORTED - len(totals.rejected))]
    return refused
