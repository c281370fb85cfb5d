"""One snapshot in memory, with everything that came since: changed products, their vectors, fresh counters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from meshkit.pace import Pace, no_pause
from reco_svc.domain.model import Product, ProductChange
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import HourlyCount, Vectors
from reco_svc.domain.product_table import LOADED_AT_ONCE, ProductTable
from reco_svc.domain.product_text import product_text
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.service.pending_texts import PendingTexts
from reco_svc.service.waiting_counts import WaitingCounts

STEP_PRODUCTS = 25  # of building tables while others answer: about a quarter of a millisecond


class LiveTables:
    """Changed and read by one thread. Rows 0 … snapshot.n-1 are the snapshot's."""

    def __init__(
        self, products: ProductTable, vectors: VectorSpace, popularity: Popularity, snapshot: Snapshot | None
    ) -> None:
        self.products = products
        self.vectors = vectors
        self.popularity = popularity
        self.snapshot = snapshot
        self._pending = PendingTexts()
        self._waiting = WaitingCounts()

    @classmethod
    def empty(cls, dim: int, popularity: Popularity) -> LiveTables:
        """Before anything is known."""
        return cls(ProductTable(), VectorSpace.empty(dim), popularity, None)

    @classmethod
    def of(cls, snapshot: Snapshot, before: LiveTables) -> LiveTables:
        """The tables of a new snapshot, brought up to the products and counters of those `before`.

        Touches nothing in `before`, so that it may run in another thread while `before` goes on answering and
        changing; what changes meanwhile has to be applied to the result again.
        """
        answering = len(before.products) > 0
        pause = Pace() if answering else no_pause
        table = ProductTable()
        at_once = STEP_PRODUCTS if answering else LOADED_AT_ONCE
        table.load(snapshot.products, snapshot.catalog_revision, at_once=at_once, pause=pause)
        fresh = cls(table, VectorSpace(snapshot.vectors, snapshot.index), before.popularity, snapshot)
        newer = iter(list(_newer(before.products, table, pause)))
        while some := list(islice(newer, at_once)):
            fresh.apply_products(some)
            pause()
        table.revision = max(table.revision, before.products.revision)
        fresh.popularity = before.popularity.placed(table.row, len(table), pause=pause)
        fresh.apply_counts(before.waiting_counts())
        return fresh

    def let_go(self) -> None:
        """Frees what is costly to free at once, for tables that answer no more; may run in another thread."""
        self.popularity.let_go(pause=Pace())

    def apply_products(self, changes: Sequence[ProductChange]) -> None:
        """Takes a page of the catalog feed. A product whose text changed gets a stand-in vector until its own comes."""
        before = {c.product_id: self._product(c.product_id) for c in changes}
        self.products.apply(changes)
        for product_id, old in before.items():
            new = self._product(product_id)
            if new is None:
                self._forget(product_id, old)
            elif old is None or product_text(old) != product_text(new):
                self._pending.add(self.products.row(product_id), product_text(new))
            if old is None and new is not None:
                self.popularity.apply(self._waiting.take(product_id), self.products.row)
        self._stand_in()

    def apply_counts(self, counts: Iterable[HourlyCount]) -> None:
        """Takes counters in revision order; those of unknown products wait for them."""
        known = []
        for count in counts:
            if self.products.row(count.product_id) >= 0:
                known.append(count)
            else:
                self._waiting.add(count)
        self.popularity.apply(known, self.products.row)

    def waiting_counts(self) -> list[HourlyCount]:
        """Counters whose products are not known yet."""
        return self._waiting.all()

    def pending_hashes(self, limit: int) -> list[str]:
        """Content hashes of texts whose vectors are wanted, others each time while there are more than `limit`."""
        self._stand_in()
        return self._pending.hashes(limit)

    def vectors_arrived(self, vectors: Mapping[str, Vectors]) -> int:
        """Gives rows their true vectors, by content hash; returns how many. Vectors of another length are ignored."""
        placed = 0
        for content_hash, vector in vectors.items():
            if vector.shape != (self.vectors.dim,):
                continue
            for row in self._pending.settle(content_hash):
                self.vectors.set(row, vector)
                placed += 1
        return placed

    @property
    def pending_count(self) -> int:
        """Products that wait for their own vector."""
        return len(self._pending)

    def _product(self, product_id: str) -> Product | None:
        row = self.products.row(product_id)
        return None if row < 0 else self.products.product(row)

    def _forget(self, product_id: str, old: Product | None) -> None:
        if old is not None:
            row = self.products.last_row(product_id)
            self._pending.drop(row)
            self.vectors.drop(row)

    def _stand_in(self) -> None:
        projection = self.snapshot.projection if self.snapshot else None
        for row, text in self._pending.without_stand_in():
            vector = projection.vector(text) if projection else None
            if vector is not None:
                self.vectors.set(row, vector, approximate=True)


def _newer(before: ProductTable, table: ProductTable, pause: Callable[[], None]) -> Iterable[ProductChange]:
    """What `before` knows and `table` does not, in no order."""
    for row, product_id in enumerate(list(before.ids)):
        if row % STEP_PRODUCTS == 0:
            pause()
        revision = before.revision_of(product_id)
        if revision > table.revision_of(product_id):
            yield ProductChange(revision, product_id, before.product(row) if before.exists(row) else None)
