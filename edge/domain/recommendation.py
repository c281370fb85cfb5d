"""A question to the recommender and its answer, as the edge sees them.

What every request makes anew is a named tuple, which is made four times as fast as a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from edge.domain.card import Card

STRATEGIES = (
    "auto",
    "similar",
    "bought_together",
    "viewed_together",
    "session",
    "personal",
    "popular",
    "trending",
    "new",
)
INCLUDABLE = ("out_of_stock", "purchased")
BOOST_TARGETS = ("product_id", "category", "brand", "tag", "filter")


class SessionStep(NamedTuple):
    """One step of a session; `event` is an event type, `at` None when only the order is known."""

    product_id: str
    event: str = "view_item"
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Boost:
    """Multiplies the scores of what `target` (one of BOOST_TARGETS) and `value` name by `factor`."""

    target: str
    value: str
    factor: float


class Question(NamedTuple):
    """What is asked; the fields mean what they mean in `reco.v1.RecommendRequest`. Hashable, so it names its answer."""

    strategy: str = "auto"
    placement: str = ""
    visitor_id: str = ""
    session: tuple[SessionStep, ...] = ()
    product_id: str = ""
    basket: tuple[str, ...] = ()
    category: str = ""
    query: str = ""
    filter: str = ""
    exclude: tuple[str, ...] = ()
    boosts: tuple[Boost, ...] = ()
    limit: int = 10
    diversity: float | None = None
    include: tuple[str, ...] = ()
    explain: bool = False
    novelty: float | None = None

    @property
    def shared(self) -> bool:
        """True if many shoppers ask the same: nothing of a visitor, a basket or a search is in it."""
        return not (self.visitor_id or self.session or self.basket or self.query or self.exclude)

    @property
    def sold_out_too(self) -> bool:
        """True if sold-out products may be answered."""
        return "out_of_stock" in self.include

    def without_visitor(self) -> Question:
        """The shared question nearest to this one."""
        return self._replace(visitor_id="", session=(), basket=(), query="", exclude=())


class RankedItem(NamedTuple):
    """One product of an answer; `reasons` strongest first."""

    product_id: str
    position: int
    score: float
    source: str
    reasons: tuple[str, ...] = ()


class Recommendation(NamedTuple):
    """An answer of the recommender, best first, without cards."""

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


class ShownRecommendation(NamedTuple):
    """What a shopper gets: only products that may be shown now, positions without gaps.

    `cards` maps product ids to cards; an id without one was recommended while the catalog was away. `age_s` is None for
    an answer that is not older than the caches allow. `epoch` says which state of the catalog and the model it belongs
    to.
    """

    answer: Recommendation
    items: tuple[RankedItem, ...]
    cards: Mapping[str, Card]
    degraded: bool
    age_s: float | None
    epoch: int
