"""What every transport of the catalog works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog_svc.domain.ports import ProductRepository


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The products, the clock, and `changed`, which is called (from any thread) after every write."""

    products: ProductRepository
    clock: Callable[[], datetime] = utc_now
    changed: Callable[[], None] = lambda: None
