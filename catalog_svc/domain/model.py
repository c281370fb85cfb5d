"""The nouns of the catalog. Moments are aware datetimes in UTC, amounts are floats in the product's currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Availability(Enum):
    """Whether a shopper can have the product."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


@dataclass(frozen=True, slots=True)
class Product:
    """One product, or one variant of a group. `domain.validation` says what its fields may hold.

    `created_at` is None only before the first write. `updated_at` and `revision` are set by the store.
    """

    product_id: str
    title: str
    description: str = ""
    categories: tuple[str, ...] = ()
    brand: str = ""
    price: float | None = None
    sale_price: float | None = None
    currency: str = ""
    availability: Availability = Availability.IN_STOCK
    group_id: str = ""
    image_url: str = ""
    url: str = ""
    gtin: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    hidden: bool = False
    updated_at: datetime | None = None
    revision: int = 0

    @property
    def effective_price(self) -> float | None:
        """What the shopper pays now."""
        return self.price if self.sale_price is None else self.sale_price

    def is_expired(self, now: datetime) -> bool:
        """True from `expires_at` on."""
        return self.expires_at is not None and self.expires_at <= now

    def is_visible(self, now: datetime) -> bool:
        """True if shoppers may see it; being sold out does not hide a product."""
        return not self.hidden and not self.is_expired(now)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed. `product` is the state now, None once deleted."""

    revision: int
    product_id: str
    product: Product | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in revision order, and whether more wait now."""

    changes: Sequence[Change]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Products by product_id. `resume_after` is where the next page starts, None on the last one.

    A page may be short, even empty, although more follow: when its products are large, or when the filter makes the
    store look at many products that do not pass.
    """

    products: Sequence[Product]
    resume_after: str | None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A product found by words. Scores compare within one answer only; greater is better."""

    product: Product
    score: float


@dataclass(frozen=True, slots=True)
class Category:
    """A category path with the number of visible products in it and below it."""

    path: str
    product_count: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a write of valid products did, and the greatest revision after it."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion did, and the greatest revision after it. `unknown_ids` stand in the order asked."""

    deleted: int
    unknown_ids: Sequence[str]
    revision: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one product of a batch is refused. `index` counts from 0 along the batch or stream."""

    index: int
    product_id: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class CatalogCounts:
    """The catalog in numbers. `out_of_stock` counts visible products; `revision` is the greatest one."""

    products: int
    visible: int
    hidden: int
    out_of_stock: int
    expired: int
    revision: int


class ImportState(Enum):
    """Where an import job is. INTERRUPTED: its process ended; what was stored stays, the file can be sent again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One file on its way into the catalog. Counts are of products; `error` says why a job FAILED."""

    job_id: str
    filename: str
    format: str
    state: ImportState
    started_at: datetime
    seen_at: datetime
    owner: str
    total_bytes: int
    done_bytes: int = 0
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    error: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RejectedInput:
    """A line of an imported file that was refused: its number from 1, its text, and why."""

    line: int
    raw: str
    reason: str
