"""Products in memory: for unit tests, and as the readable reference of what a repository does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from catalog_svc.domain.filter_record import record_of
from catalog_svc.domain.model import (
    CatalogCounts,
    Change,
    ChangePage,
    Deleted,
    Product,
    ProductPage,
    SearchHit,
    Written,
)
from catalog_svc.domain.word_scores import ALL_WORDS_BONUS, WordQuery, word_query, word_score
from catalog_svc.domain.words import WordDocument, document_of
from meshkit.filtering import Expression, predicate


class MemoryProductRepository:
    """See `domain.ports.ProductRepository`."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._revision = 0
        self._lock = threading.RLock()

    def prepare(self) -> None:
        """Nothing to do."""

    def ping(self) -> None:
        """Always answers."""

    def close(self) -> None:
        """Nothing to do."""

    def upsert(self, products: Sequence[Product], now: datetime) -> Written:
        """See the port."""
        latest = {product.product_id: product for product in products}
        created = updated = 0
        with self._lock:
            for product_id, product in latest.items():
                before = self._alive(product_id)
                first_seen = now if before is None else before.created_at
                wanted = replace(product, created_at=product.created_at or first_seen, updated_at=None, revision=0)
                if before is not None and wanted == replace(before, updated_at=None, revision=0):
                    continue
                created, updated = created + (before is None), updated + (before is not None)
                self._revision += 1
                stored = replace(wanted, updated_at=now, revision=self._revision)
                self._changes[product_id] = Change(self._revision, product_id, stored, now)
            return Written(created, updated, len(latest) - created - updated, self._revision)

    def delete(self, product_ids: Sequence[str], now: datetime) -> Deleted:
        """See the port."""
        unknown = []
        asked = list(dict.fromkeys(product_ids))
        with self._lock:
            for product_id in asked:
                if self._alive(product_id) is None:
                    unknown.append(product_id)
                    continue
                self._revision += 1
                self._changes[product_id] = Change(self._revision, product_id, None, now)
            return Deleted(len(asked) - len(unknown), unknown, self._revision)

    def get(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """See the port."""
        found = {product_id: self._alive(product_id) for product_id in product_ids}
        return {product_id: product for product_id, product in found.items() if product is not None}

    def page(self, filter: Expression | None, *, visible_at: datetime | None, after_id: str, limit: int) -> ProductPage:
        """See the port."""
        passes = predicate(filter)
        wanted = sorted(
            (
                p
                for p in self._products(visible_at)
                if p.product_id.encode() > after_id.encode() and passes(record_of(p))
            ),
            key=lambda p: p.product_id.encode(),
        )
        more = len(wanted) > limit
        return ProductPage(wanted[:limit], wanted[limit - 1].product_id if more else None)

    def search(
        self, words: Sequence[str], filter: Expression | None, *, visible_at: datetime, limit: int
    ) -> Sequence[SearchHit]:
        """See the port."""
        passes = predicate(filter)
        products = self._products(None)
        documents = {product.product_id: document_of(product) for product in products}

        def counts(words: Sequence[str], most: int) -> list[int]:
            having = (sum(word in document.words for document in documents.values()) for word in words)
            return [min(count, most) for count in (len(documents), *having)]

        query = word_query(words, counts)
        hits = [
            SearchHit(product, score)
            for product in products
            if product.is_visible(visible_at)
            and passes(record_of(product))
            and (score := _score(documents[product.product_id], query))
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.product.product_id.encode()))[:limit]

    def category_counts(self, visible_at: datetime) -> Mapping[tuple[str, ...], int]:
        """See the port."""
        return Counter(p.categories for p in self._products(visible_at) if p.categories)

    def changes(self, after_revision: int, limit: int) -> ChangePage:
        """See the port."""
        found = self._sorted_changes(lambda change: change.revision > after_revision)
        return ChangePage(found[:limit], len(found) > limit)

    def changed_ids(self, after_revision: int, limit: int) -> Sequence[tuple[int, str]]:
        """See the port."""
        return [(c.revision, c.product_id) for c in self.changes(after_revision, limit).changes]

    def latest_changes(self, limit: int) -> Sequence[Change]:
        """See the port."""
        return self._sorted_changes(lambda change: True)[::-1][:limit]

    def revision(self) -> int:
        """See the port."""
        return self._revision

    def advance(self, revision: int) -> None:
        """See the port."""
        with self._lock:
            self._revision = max(self._revision, revision)

    def counts(self, now: datetime) -> CatalogCounts:
        """See the port."""
        products = self._products(None)
        visible = [p for p in products if p.is_visible(now)]
        return CatalogCounts(
            products=len(products),
            visible=len(visible),
            hidden=sum(p.hidden for p in products),
            out_of_stock=sum(p.availability.value == "out_of_stock" for p in visible),
            expired=sum(p.is_expired(now) for p in products),
            revision=self._revision,
        )

    def _alive(self, product_id: str) -> Product | None:
        change = self._changes.get(product_id)
        return None if change is None else change.product

    def _products(self, visible_at: datetime | None) -> list[Product]:
        with self._lock:
            alive = [c.product for c in self._changes.values() if c.product is not None]
        return alive if visible_at is None else [p for p in alive if p.is_visible(visible_at)]

    def _sorted_changes(self, wanted: Callable[[Change], bool]) -> list[Change]:
        with self._lock:
            return sorted(filter(wanted, self._changes.values()), key=lambda change: change.revision)


def _score(document: WordDocument, query: WordQuery) -> float:
    """0.0 if the product is not found."""
    score = word_score(query, document.title, document.names, document.words, len(document.title))
    if document.words.issuperset(query.words):
        return ALL_WORDS_BONUS + score
    return 0.0 if document.words.isdisjoint(query.telling) else score
