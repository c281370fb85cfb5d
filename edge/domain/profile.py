"""Preferences of an anonymous visitor and the receipt of an erasure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Preferences:
    """Stated taste; `currency` belongs to the price band and is "" without one. `updated_at` None: never stated."""

    visitor_id: str
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    currency: str = ""
    opted_out: bool = False
    segments: tuple[str, ...] = ()
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """New values of the fields named in `changed`; the other fields are not looked at."""

    values: Preferences
    changed: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class ErasedPart:
    """One line of a receipt; `state` is erased or pending."""

    store: str
    what: str
    count: int
    state: str


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """Proof of an erasure."""

    receipt_id: str
    requested_at: datetime
    parts: tuple[ErasedPart, ...]
