"""The nouns of recommending: products as the ranker sees them, interactions, queries, answers, rules, models.

All are immutable. Times are aware datetimes in UTC; money is a number in the shop's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple


class EventType(IntEnum):
    """What a visitor did; numbers as on the wire and in the log."""

    VIEW_ITEM = 1
    SELECT_ITEM = 2
    ADD_TO_CART = 3
    REMOVE_FROM_CART = 4
    ADD_TO_WISHLIST = 5
    PURCHASE = 6
    REFUND = 7
    IMPRESSION = 8
    SEARCH = 9


class Strategy(StrEnum):
    """How candidates are found."""

    AUTO = "auto"
    SIMILAR = "similar"
    BOUGHT_TOGETHER = "bought_together"
    VIEWED_TOGETHER = "viewed_together"
    SESSION = "session"
    PERSONAL = "personal"
    POPULAR = "popular"
    TRENDING = "trending"
    NEW = "new"


class Availability(StrEnum):
    """Whether a shopper can have a product; OUT_OF_STOCK alone is kept out of answers."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the ranker sees it. `price` is what a shopper pays now (the sale price on sale); None: unknown."""

    product_id: str
    title: str
    description: str = ""
    categories: tuple[str, ...] = ()
    brand: str = ""
    price: float | None = None
    currency: str = ""
    availability: Availability = Availability.IN_STOCK
    group_id: str = ""
    gtin: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    hidden: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ProductChange:
    """One entry of the catalog's change feed; `product` is None when it was deleted."""

    revision: int
    product_id: str
    product: Product | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing an anonymous visitor did. `product_id` is "" only for SEARCH; `price` is of one piece."""

    event_id: str
    type: EventType
    visitor_id: str
    product_id: str
    at: datetime
    quantity: int = 1
    price: float | None = None
    currency: str = ""
    order_id: str = ""
    recommendation_id: str = ""
    position: int | None = None
    placement: str = ""
    query: str = ""
    session_id: str = ""


class SessionStep(NamedTuple):  # of which every question makes some: a named tuple is made four times as fast
    """One step of a session. `at` None: only the order is known."""

    product_id: str
    type: EventType = EventType.VIEW_ITEM
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """Stated taste of a visitor; excluded categories are never shown, the rest only weighs."""

    visitor_id: str
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    opted_out: bool = False
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Where an answer will be shown."""

    product_id: str = ""
    basket: tuple[str, ...] = ()
    category: str = ""
    query: str = ""


class TargetKind(StrEnum):
    """What a boost or a rule aims at."""

    PRODUCT = "product"
    CATEGORY = "category"
    BRAND = "brand"
    TAG = "tag"
    FILTER = "filter"


@dataclass(frozen=True, slots=True)
class Target:
    """Products meant by a boost or rule: an id, a category path (and below), a brand, a tag, or a filter expression."""

    kind: TargetKind
    value: str


@dataclass(frozen=True, slots=True)
class Boost:
    """Multiplies the scores of the target's products by `factor` (0 < factor <= 100) for one call."""

    target: Target
    factor: float


@dataclass(frozen=True, slots=True)
class RecommendQuery:
    """One question. `session` is what the caller adds to what the mesh knows of the visitor, oldest first."""

    strategy: Strategy = Strategy.AUTO
    placement: str = ""
    visitor_id: str = ""
    session: tuple[SessionStep, ...] = ()
    context: Context = Context()
    filter: str = ""
    exclude: tuple[str, ...] = ()
    boosts: tuple[Boost, ...] = ()
    limit: int = 10
    diversity: float | None = None
    include: frozenset[str] = frozenset()
    explain: bool = False
    novelty: float | None = None


class RankedItem(NamedTuple):  # of which every answer makes ten: a named tuple is made four times as fast
    """One product of an answer; `reasons` strongest first ("similar_to:85123A"). `fallback_level` is the step of the
    chain that brought it in, 0 for the strategy's own sources and for pins."""

    product_id: str
    position: int
    score: float
    source: str
    reasons: tuple[str, ...]
    fallback_level: int = 0


class Recommendation(NamedTuple):
    """An answer, best first."""

    recommendation_id: str
    items: tuple[RankedItem, ...]
    unknown_ids: tuple[str, ...]
    fallback_level: int
    degraded: bool
    model_version: str
    rules_version: str
    generated_at: datetime


@dataclass(frozen=True, slots=True)
class SourceOpinion:
    """What one source thought of a product; `rank` from 1."""

    source: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a product is (position from 1) or is not (position 0, `removed_by` set) in an answer."""

    position: int
    opinions: tuple[SourceOpinion, ...]
    removed_by: str
    reasons: tuple[str, ...]


class RuleKind(StrEnum):
    """What a merchandising rule does."""

    PIN = "pin"
    BOOST = "boost"
    BURY = "bury"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Rule:
    """A merchandiser's rule. It holds for a placement ("" = all), an audience segment ("" = everyone) and a window
    [starts_at, ends_at) where None is open. PIN puts its product target at `position` (from 1); BOOST multiplies by
    `factor`, BURY divides by it; EXCLUDE removes. Lower `priority` wins a contested pin; ties by rule_id."""

    rule_id: str
    kind: RuleKind
    target: Target
    position: int = 1
    factor: float = 2.0
    placement: str = ""
    segment: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    priority: int = 100


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All enabled rules with the version that names exactly this set."""

    version: str = "0"
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A trained snapshot as listed to people; see reco.proto for the maps."""

    version: str
    created_at: datetime
    active: bool
    facts: Mapping[str, float]
    quality: Mapping[str, float]
    embedder: str
    parent: str


class TrainingState(IntEnum):
    """State of a training run; numbers as on the wire."""

    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training run; see reco.proto."""

    run_id: str
    state: TrainingState
    stage: str
    progress: float
    model_version: str
    message: str
    requested_at: datetime
    finished_at: datetime | None
    facts: Mapping[str, float]
    note: str = ""
    force: bool = False
