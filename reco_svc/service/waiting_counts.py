"""Counters of products that are not known yet: events may arrive before the product they are about."""

from __future__ import annotations

from reco_svc.domain.ports import HourlyCount

MAX_PRODUCTS = 100_000


class WaitingCounts:
    """The last state of each counter, by product. The product that has waited longest goes when there are too many."""

    def __init__(self, max_products: int = MAX_PRODUCTS) -> None:
        self._max_products = max_products
        self._of: dict[str, dict[tuple[int, int], HourlyCount]] = {}

    def add(self, count: HourlyCount) -> None:
        """Keeps a counter."""
        self._of.setdefault(count.product_id, {})[(int(count.type), count.hour)] = count
        if len(self._of) > self._max_products:
            del self._of[next(iter(self._of))]

    def take(self, product_id: str) -> list[HourlyCount]:
        """The counters of a product that is known now; they wait no more."""
        return list(self._of.pop(product_id, {}).values())

    def all(self) -> list[HourlyCount]:
        """Every counter that waits, in revision order."""
        return sorted(
            (c for counts in list(self._of.values()) for c in list(counts.values())), key=lambda c: c.revision
        )
