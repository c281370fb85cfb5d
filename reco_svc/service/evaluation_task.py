"""An evaluation task: products, training events and questions with known answers, as the ports that training reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from reco_svc.domain.model import EventType, Interaction, Product, ProductChange
from reco_svc.domain.ports import AppendReport, HourlyCount, InteractionColumns


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """One question and, where known, what was right."""

    query_id: str
    history: tuple[str, ...]
    exclude: tuple[str, ...]
    visitor_id: str = ""
    relevant: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EvaluationTask:
    """A task in memory. `candidates` None: every product may be answered."""

    name: str
    products: Sequence[Product]
    log: TaskLog
    queries: Sequence[TaskQuery]
    candidates: frozenset[str] | None = None

    @property
    def answered(self) -> bool:
        """Whether what was right is known."""
        return any(query.relevant for query in self.queries)


@dataclass(frozen=True, slots=True)
class TaskCatalog:
    """CatalogReader over the products of a task."""

    all_products: Sequence[Product]

    def changes_after(self, revision: int, *, limit: int = 5_000) -> tuple[Sequence[ProductChange], int, bool]:
        """Product n has revision n + 1."""
        page = self.all_products[revision : revision + limit]
        changes = [ProductChange(revision + at, p.product_id, p) for at, p in enumerate(page, 1)]
        return changes, revision + len(page), revision + len(page) < len(self.all_products)

    def products(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """Those of the ids that exist."""
        by_id = {product.product_id: product for product in self.all_products}
        return [by_id[product_id] for product_id in product_ids if product_id in by_id]


@dataclass(frozen=True, slots=True)
class TaskLog:
    """InteractionLog over the training events of a task; events of one second keep the order of the file."""

    columns: InteractionColumns
    _bought: dict[str, list[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        columns = self.columns
        for at in np.flatnonzero(columns.type == EventType.PURCHASE).tolist():
            self._bought.setdefault(columns.visitor_id[at], []).append(columns.product_id[at])

    def append(self, interactions: Sequence[Interaction]) -> AppendReport:
        """A task does not change: everything counts as known."""
        return AppendReport(frozenset(), len(interactions))

    def scan(self, since: datetime | None = None, *, chunk: int = 100_000) -> Iterator[InteractionColumns]:
        """See ports.InteractionLog."""
        columns = self.columns
        begin = 0 if since is None else int(np.searchsorted(columns.at_s, int(since.timestamp())))
        for at in range(begin, len(columns.at_s), chunk):
            cut = slice(at, at + chunk)
            yield InteractionColumns(
                columns.visitor_id[cut],
                columns.session_id[cut],
                columns.order_id[cut],
                columns.product_id[cut],
                columns.type[cut],
                columns.at_s[cut],
                columns.quantity[cut],
                columns.price[cut],
            )

    def count(self) -> int:
        """See ports.InteractionLog."""
        return len(self.columns.at_s)

    def latest_at(self) -> datetime | None:
        """See ports.InteractionLog."""
        return datetime.fromtimestamp(int(self.columns.at_s[-1]), UTC) if len(self.columns.at_s) else None

    def counts_after(self, revision: int, *, limit: int = 10_000) -> Sequence[HourlyCount]:
        """All counters at once, with revision 1."""
        if revision >= 1:
            return []
        columns = self.columns
        hours = (columns.at_s // 3600).tolist()
        counted = Counter(zip(columns.product_id, columns.type.tolist(), hours, strict=True))
        return [HourlyCount(id_, EventType(kind), hour, events, 1) for (id_, kind, hour), events in counted.items()]

    def recent(
        self, since: datetime, *, limit: int = 50_000, known: Container[str] = frozenset()
    ) -> Sequence[Interaction]:
        """A task has no running sessions."""
        return []

    def purchased(self, visitor_ids: Collection[str], *, limit: int = 1_000) -> Mapping[str, Sequence[str]]:
        """See ports.InteractionLog."""
        known = {i: bought for i in visitor_ids if (bought := self._bought.get(i))}
        return {i: list(dict.fromkeys(reversed(bought)))[:limit] for i, bought in known.items()}

    def erase(self, visitor_id: str, at: datetime) -> int:
        """A task does not change."""
        return 0
