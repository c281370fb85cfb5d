"""What answers are made from right now: the tables of the active snapshot, rules, preferences.

One thread owns it, the event loop: feeds are applied and questions answered there, so nothing is ever half changed.
Only `Swap.build` runs elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import structlog

from reco_svc.domain.model import Preferences, ProductChange, RuleSet
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import HourlyCount, Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.rules import RuleBook
from reco_svc.domain.snapshot import SessionIndex, Snapshot
from reco_svc.domain.view import View
from reco_svc.service.live_tables import LiveTables

log = structlog.get_logger()
PENDING_LIMIT = 1_000


WarmUp: TypeAlias = Callable[[View], object]


class Swap:
    """The tables of a new snapshot on their way. `build` may run in any thread while the old ones answer."""

    def __init__(self, snapshot: Snapshot, before: LiveTables, warm_up: WarmUp) -> None:
        self.snapshot = snapshot
        self.tables: LiveTables | None = None
        self.missed: list[Callable[[LiveTables], object]] = []
        self._before = before
        self._warm_up = warm_up

    def build(self) -> None:
        """Makes the tables and tries them out; the costly part."""
        tables = LiveTables.of(self.snapshot, self._before)
        self._warm_up(view_of(tables, RuleSet(), RuleBook()))
        self.tables = tables

    def let_go(self) -> None:
        """Frees the tables of before, once the swap is finished and they answer no more. In any thread, as `build`."""
        self._before.let_go()


class LiveState:
    """Follows the feeds and hands out views. `dim` is the length of vectors until a snapshot says otherwise; `warm_up`
    tries out the tables of a new snapshot before they answer."""

    def __init__(
        self, *, dim: int = 384, popularity: Popularity | None = None, warm_up: WarmUp = lambda view: None
    ) -> None:
        self._warm_up = warm_up
        self._tables = LiveTables.empty(dim, popularity or Popularity())
        self._preferences: dict[str, Preferences] = {}
        self._rules, self._book = RuleSet(), RuleBook()
        self._swap: Swap | None = None
        self._fresh: SessionIndex | None = None
        self._view = self._new_view()
        self.counts_revision = 0

    # Reading.

    def view(self) -> View:
        """What to answer from now."""
        return self._view

    def preferences_of(self, visitor_id: str) -> Preferences | None:
        """What a visitor stated; None: nothing."""
        return self._preferences.get(visitor_id)

    def knows_product(self, product_id: str) -> bool:
        """Whether the catalog holds a product, hidden or not. Safe from any thread."""
        return self._tables.products.row(product_id) >= 0

    @property
    def catalog_revision(self) -> int:
        """Where to go on in the catalog feed."""
        return self._tables.products.revision

    @property
    def model_version(self) -> str:
        """Version of the snapshot that answers; "" before the first."""
        return self._tables.snapshot.version if self._tables.snapshot else ""

    @property
    def pending_count(self) -> int:
        """Products that wait for their own vector."""
        return self._tables.pending_count

    # Following.

    def apply_products(self, changes: Sequence[ProductChange]) -> None:
        """Takes a page of the catalog feed, in order; seeing one again does no harm. About 20 µs a product."""
        self._apply(lambda tables: tables.apply_products(changes))

    def apply_counts(self, counts: Sequence[HourlyCount]) -> None:
        """Takes counters that changed, in revision order; `counts_revision` says where to go on."""
        self._apply(lambda tables: tables.apply_counts(counts))
        self.counts_revision = max([self.counts_revision, *(count.revision for count in counts)])

    def apply_preferences(self, changes: Iterable[tuple[str, Preferences | None]]) -> None:
        """Takes visitors with their preferences now; None: erased."""
        for visitor_id, preferences in changes:
            if preferences is None:
                self._preferences.pop(visitor_id, None)
            else:
                self._preferences[visitor_id] = preferences

    def set_rules(self, rules: RuleSet) -> None:
        """Makes a set of merchandising rules hold from the next answer on; unreadable ones are logged and left out."""
        self._rules, self._book = rules, RuleBook.of(rules)
        for rule_id, problem in self._book.unreadable:
            log.warning("rule_left_out", rule_id=rule_id, problem=problem)
        self._view = self._new_view()

    def set_fresh_sessions(self, index: SessionIndex, made_for: ProductTable) -> None:
        """Makes sessions since the snapshot neighbours from the next answer on, unless their rows are of a table that
        answers no more."""
        if made_for is self._tables.products:
            self._fresh = index
            self._view = self._new_view()

    def pending_hashes(self, limit: int = PENDING_LIMIT) -> list[str]:
        """Content hashes of products that wait for their vector, to be looked up in the embedding store."""
        return self._tables.pending_hashes(limit)

    def vectors_arrived(self, vectors: Mapping[str, Vectors]) -> int:
        """Takes vectors by content hash, each (dim,); returns how many products have their own vector now."""
        placed = self._tables.vectors_arrived(vectors)
        if self._swap is not None:
            self._swap.missed.append(lambda tables: tables.vectors_arrived(vectors))
        return placed

    # Swapping.

    def begin_swap(self, snapshot: Snapshot) -> Swap:
        """Starts to bring in a snapshot; from now on changes are kept for it too. Replaces a swap under way."""
        self._swap = Swap(snapshot, self._tables, self._warm_up)
        return self._swap

    def finish_swap(self, swap: Swap) -> bool:
        """Answers from the built tables from now on, with the changes they missed. False: another swap replaced it."""
        if swap is not self._swap or swap.tables is None:
            return False
        for change in swap.missed:
            change(swap.tables)
        self._tables, self._swap, self._fresh = swap.tables, None, None
        self._view = self._new_view()
        return True

    def cancel_swap(self, swap: Swap) -> None:
        """Gives up a swap that could not be built; what answers stays."""
        if swap is self._swap:
            self._swap = None

    def swap(self, snapshot: Snapshot) -> None:
        """All steps at once, for a start, a test or a worker that answers nobody meanwhile."""
        swap = self.begin_swap(snapshot)
        swap.build()
        self.finish_swap(swap)

    def _apply(self, change: Callable[[LiveTables], object]) -> None:
        change(self._tables)
        if self._swap is not None:
            self._swap.missed.append(change)

    def _new_view(self) -> View:
        return view_of(self._tables, self._rules, self._book, self._fresh)


def view_of(tables: LiveTables, rules: RuleSet, book: RuleBook, fresh: SessionIndex | None = None) -> View:
    """The view on tables under rules."""
    return View(
        products=tables.products,
        vectors=tables.vectors,
        popularity=tables.popularity,
        snapshot=tables.snapshot,
        rules=rules,
        book=book,
        fresh=fresh,
        text_vector=tables.snapshot.projection.vector if tables.snapshot else None,
    )
