"""The nouns of profiles: preferences, segments, changes, erasures. All are immutable; times are aware and in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Price:
    """An amount in a currency (ISO 4217)."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a visitor stated. `revision` 0 and `updated_at` None: nothing was ever stated."""

    visitor_id: str
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    price_min: Price | None = None
    price_max: Price | None = None
    opted_out: bool = False
    updated_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """One entry of the change feed; `preferences` is None when the visitor was erased."""

    revision: int
    visitor_id: str
    preferences: Preferences | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A named group of visitors: those whose preferences the filter is true for."""

    name: str
    title: str
    filter: str


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """What is still to be erased elsewhere, since `at`; kept until it is done or stands in the queue."""

    receipt_id: str
    visitor_id: str
    at: datetime


class ErasureState(StrEnum):
    """What became of one part of an erasure."""

    ERASED = "erased"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class ErasedPart:
    """One line of a receipt: who held what, how many records; `count` is 0 while PENDING."""

    store: str
    what: str
    count: int
    state: ErasureState


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """Proof of an erasure; `parts` by store, then what. It does not hold the visitor's id."""

    receipt_id: str
    requested_at: datetime
    parts: Sequence[ErasedPart]
