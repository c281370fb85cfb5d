"""How old what the edge answers is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from edge.domain.listing import FreshnessEntry
from edge.domain.ports import RecoGateway


class Freshness:
    """The recommender's ages, with the age of the edge's own product cards (stock and prices)."""

    def __init__(self, reco: RecoGateway, cards_age_s: Callable[[], float | None]) -> None:
        self._reco = reco
        self._cards_age_s = cards_age_s

    async def __call__(self) -> Sequence[FreshnessEntry]:
        """Ages by name. Raises the recommender's error when it is away."""
        entries = [*await self._reco.freshness(), self._cards()]
        return sorted(entries, key=lambda entry: entry.name)

    def _cards(self) -> FreshnessEntry:
        age_s = self._cards_age_s()
        if age_s is None:
            return FreshnessEntry("cards", None, 0.0, "the catalog's changes were not read yet")
        as_of = datetime.now(UTC) - timedelta(seconds=age_s)
        return FreshnessEntry("cards", as_of, round(age_s, 3), "stock and prices on product cards")
