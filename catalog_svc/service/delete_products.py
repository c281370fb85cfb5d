"""Deleting products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from catalog_svc.domain.model import Deleted
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.domain.validation import id_violation
from catalog_svc.service.upsert_products import MAX_BATCH
from meshkit.errors import InvalidArgument


def delete_products(repository: ProductRepository, product_ids: Sequence[str], now: datetime) -> Deleted:
    """Deletes 1 to 1,000 products; repeats count once, unknown ids are reported."""
    if not 1 <= len(product_ids) <= MAX_BATCH:
        raise InvalidArgument.of("product_ids", f"must be 1 to {MAX_BATCH:,}, not {len(product_ids):,}")
    asked = list(dict.fromkeys(product_ids))
    possible = [i for i in asked if id_violation("", i) is None]
    done = repository.delete(possible, now)
    existed = set(possible).difference(done.unknown_ids)
    return replace(done, unknown_ids=[i for i in asked if i not in existed])
