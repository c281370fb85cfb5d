"""What the edge needs from outside.

Every gateway method may raise any error of `meshkit.errors`; `upstream_failed` tells those that a fallback may answer
from those the caller must see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from edge.domain.card import Card
from edge.domain.events import EventVerdict, Interaction
from edge.domain.listing import CatalogChanges, Category, FreshnessEntry, ProductPage
from edge.domain.profile import ErasureReceipt, Preferences, PreferencesChange
from edge.domain.recommendation import Explanation, Question, Recommendation
from meshkit.errors import DeadlineExceeded, RecomeshError, Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
S = TypeVar("S", bound=Hashable)
T = TypeVar("T")


def upstream_failed(error: RecomeshError) -> bool:
    """True if a service was away, too slow, or failed inside; false if the question was wrong."""
    return isinstance(error, Unavailable | DeadlineExceeded) or type(error) is RecomeshError


class CatalogGateway(Protocol):
    """What the shop sells."""

    async def cards(self, product_ids: Sequence[str]) -> Mapping[str, Card]:
        """Cards by id; an id the catalog does not know is left out. At most 1,000 ids."""
        ...

    async def page(self, filter_text: str, page_size: int, page_token: str) -> ProductPage:
        """Visible products by product_id."""
        ...

    async def search(self, query: str, filter_text: str, limit: int) -> Sequence[Card]:
        """Visible products whose words match, best first."""
        ...

    async def categories(self, parent: str) -> Sequence[Category]:
        """Categories by path; `parent` "" is all."""
        ...

    async def changes(self, after_revision: int) -> CatalogChanges:
        """What changed after a revision."""
        ...

    async def end_of_feed(self) -> int:
        """The revision of the last change."""
        ...


class RecoGateway(Protocol):
    """The recommender."""

    async def recommend(self, question: Question) -> Recommendation:
        """The answer to a question."""
        ...

    async def replay(self, recommendation_id: str) -> Recommendation:
        """An answer given before; NotFound (RECOMMENDATION_NOT_FOUND) once it left the log."""
        ...

    async def explain(self, recommendation_id: str, product_id: str) -> Explanation:
        """Why a product is, or is not, in an answer given before; NotFound as `replay`."""
        ...

    async def record(self, interactions: Sequence[Interaction]) -> Sequence[EventVerdict]:
        """One verdict per event, in order; durable when it returns. At most 1,000."""
        ...

    async def freshness(self) -> Sequence[FreshnessEntry]:
        """Ages by name."""
        ...


class ProfileGateway(Protocol):
    """Preferences of visitors."""

    async def preferences(self, visitor_id: str) -> Preferences:
        """Empty for an unknown visitor."""
        ...

    async def update(self, change: PreferencesChange) -> Preferences:
        """The preferences after the change."""
        ...

    async def erase(self, visitor_id: str) -> ErasureReceipt:
        """Erases the visitor everywhere."""
        ...


class Cache(Protocol[K, V]):
    """Values by key with a time to live, bounded in number; the oldest leave first. Used on one event loop."""

    def fresh(self, key: K) -> V | None:
        """The value, if it is younger than its time to live and nothing outdated it."""
        ...

    def last_good(self, key: K) -> tuple[V, float] | None:
        """The value and its age in seconds, even when it is not fresh any more."""
        ...

    def held(self, keys: Iterable[K]) -> Mapping[K, V]:
        """The values that `last_good` has of the keys, by key."""
        ...

    def ended(self, key: K) -> V | None:
        """The value, if its time to live is over, nothing outdated it, and it may answer while it is read anew."""
        ...

    def spend(self, key: K) -> None:
        """It could not be read anew: not `ended` any more; `last_good` still has it."""
        ...

    def put(self, key: K, value: V, *, ttl_s: float | None = None, revalidate: bool = True) -> None:
        """Keeps a value for `ttl_s` (None: the cache's own time to live), and as `ended` after it if `revalidate`."""
        ...

    def drop(self, key: K) -> None:
        """Forgets a value."""
        ...

    def outdate(self) -> None:
        """Makes every value, and every load now under way, no longer fresh; `last_good` still has them."""
        ...

    async def get_or_load(self, key: K, load: Callable[[], Awaitable[V]], *, ttl_s: float | None = None) -> V:
        """The fresh value, else that of `load`, which runs once however many wait. Its error goes to all who wait."""
        ...


@dataclass(frozen=True, slots=True)
class SharedEntry(Generic[T]):
    """A value that some edge shared `age_s` seconds ago. It was read when that edge knew the catalog's changes up to
    the revision `as_of`, so it shows those at least."""

    value: T
    as_of: int
    age_s: float


class SharedCache(Protocol[S, T]):
    """Values that edges share. Never fails: whatever goes wrong is a miss. Used on one event loop."""

    async def get(self, keys: Sequence[S]) -> Mapping[S, SharedEntry[T]]:
        """What is there, true or not."""
        ...

    def put(self, values: Mapping[S, T], as_of: int) -> None:
        """Shares values, some time soon."""
        ...

    async def settle(self) -> None:
        """Waits until all is shared that was put."""
        ...
