"""Products in MongoDB: no transactions, no change streams, no text index, so that FerretDB serves as well (ADR 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from catalog_svc.adapters.mongo_commits import MongoCommits, PlannedChange
from catalog_svc.adapters.mongo_documents import change_of_document, content_of_document, product_of_document
from catalog_svc.adapters.mongo_filter import MongoFilter, compile_filter
from catalog_svc.adapters.mongo_indexes import create_indexes
from catalog_svc.adapters.mongo_search import MongoSearch
from catalog_svc.adapters.mongo_store import MongoDocument, MongoStore
from catalog_svc.adapters.product_content import content_of, to_micros
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
from meshkit.filtering import Expression, predicate

PAGE_CHARACTERS = 4_000_000  # keeps an answer below the message limit, whatever the products hold
SCANNED_DOCUMENTS = 20_000  # most products looked at for one page of a filter that MongoDB can not say exactly
COMMIT_CHARACTERS = 12_000_000  # a commit is one document, of which MongoDB takes 16 MB
IDS_PER_QUERY = 1_000
_PRODUCT = ("revision", "deleted", "created_at", "updated_at", "content", "size")


class MongoProductRepository:
    """See `domain.ports.ProductRepository`.

    A write is one step in the change feed and after a crash; while it is applied, a reader may see a part of it.
    """

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._products = store.collection("products")
        self._commits = MongoCommits(store)
        self._search = MongoSearch(store, PAGE_CHARACTERS)

    def prepare(self) -> None:
        """Creates what is missing of indexes and state; finishes what a dead writer left."""
        create_indexes(self._store)
        self._commits.prepare()

    def ping(self) -> None:
        """Reads the one document that every write needs; finishes what a dead writer left."""
        self._commits.finish_abandoned()

    def close(self) -> None:
        """Closes the connections."""
        self._store.close()

    def upsert(self, products: Sequence[Product], now: datetime) -> Written:
        """See the port. More than 12 million characters take several steps."""
        written = Written(revision=0 if products else self.revision())
        for group in _groups({product.product_id: product for product in products}):
            step = self._upsert(group, to_micros(now))
            written = Written(
                written.created + step.created,
                written.updated + step.updated,
                written.unchanged + step.unchanged,
                step.revision,
            )
        return written

    def delete(self, product_ids: Sequence[str], now: datetime) -> Deleted:
        """See the port."""
        asked = list(dict.fromkeys(product_ids))

        def plan() -> list[PlannedChange]:
            stored = self._stored(asked, ("revision", "deleted"))
            alive = (stored[i] for i in asked if i in stored and not stored[i]["deleted"])
            return [PlannedChange(document["_id"], document["revision"], 0, None) for document in alive]

        changes, revision = self._commits.write(plan, to_micros(now))
        gone = {change.product_id for change in changes}
        return Deleted(len(gone), [i for i in asked if i not in gone], revision)

    def get(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """See the port."""
        stored = self._stored(list(dict.fromkeys(product_ids)), _PRODUCT)
        return {key: product_of_document(document) for key, document in stored.items() if not document["deleted"]}

    def page(self, filter: Expression | None, *, visible_at: datetime | None, after_id: str, limit: int) -> ProductPage:
        """See the port."""
        compiled = compile_filter(filter)
        query = {"$and": [{"_id": {"$gt": after_id}}, alive(visible_at), compiled.query]}
        most = limit + 1 if compiled.exact else SCANNED_DOCUMENTS
        with self._store.asking(), self._products.find(query, _PRODUCT).sort("_id").limit(most) as found:
            return _page(found, filter, compiled, limit)

    def search(
        self, words: Sequence[str], filter: Expression | None, *, visible_at: datetime, limit: int
    ) -> Sequence[SearchHit]:
        """See the port."""
        return self._search.hits(words, filter, alive(visible_at), limit)

    def category_counts(self, visible_at: datetime) -> Mapping[tuple[str, ...], int]:
        """See the port."""
        wanted = {"$and": [{"category_lines": {"$ne": ""}}, alive(visible_at)]}
        steps: list[MongoDocument] = [{"$match": wanted}, {"$group": {"_id": "$category_lines", "count": {"$sum": 1}}}]
        with self._store.asking(), self._products.aggregate(steps) as groups:
            return {tuple(group["_id"].split("\n")): int(group["count"]) for group in groups}

    def changes(self, after_revision: int, limit: int) -> ChangePage:
        """See the port."""
        changes: list[Change] = []
        budget = PAGE_CHARACTERS
        for document in self._changed(after_revision, limit + 1, _PRODUCT):
            budget -= document["size"]
            if changes and (len(changes) == limit or budget < 0):
                return ChangePage(changes, has_more=True)
            changes.append(change_of_document(document))
        return ChangePage(changes, has_more=False)

    def changed_ids(self, after_revision: int, limit: int) -> Sequence[tuple[int, str]]:
        """See the port."""
        changed = [(d["revision"], d["_id"]) for d in self._changed(after_revision, limit, ("revision",))]
        if not changed:
            self._commits.finish_abandoned()
        return changed

    def latest_changes(self, limit: int) -> Sequence[Change]:
        """See the port."""
        query = {"revision": {"$lte": self.revision()}}
        with self._store.asking(), self._products.find(query, _PRODUCT).sort("revision", -1).limit(limit) as found:
            return [change_of_document(document) for document in found]

    def revision(self) -> int:
        """See the port."""
        return self._commits.state().revision

    def advance(self, revision: int) -> None:
        """See the port."""
        self._commits.advance(revision)

    def counts(self, now: datetime) -> CatalogCounts:
        """See the port."""
        living, visible = alive(None), alive(now)
        queries = (
            living,
            visible,
            {"$and": [living, {"hidden": True}]},
            {"$and": [visible, {"availability": "out_of_stock"}]},
            {"$and": [living, {"expires_at": {"$ne": None}}, {"expires_at": {"$lte": to_micros(now)}}]},
        )
        with self._store.asking():
            products, seen, hidden, sold_out, expired = (self._products.count_documents(query) for query in queries)
        return CatalogCounts(products, seen, hidden, sold_out, expired, self.revision())

    def _upsert(self, products: Mapping[str, Product], now: int) -> Written:
        created = 0

        def plan() -> list[PlannedChange]:
            nonlocal created
            stored = self._stored(list(products), ("revision", "deleted", "created_at", "content"))
            changes = [_planned(product, stored.get(key), now) for key, product in products.items()]
            living = {key for key, document in stored.items() if not document["deleted"]}
            wanted = [change for change in changes if change is not None]
            created = sum(change.product_id not in living for change in wanted)
            return wanted

        changes, revision = self._commits.write(plan, now)
        return Written(created, len(changes) - created, len(products) - len(changes), revision)

    def _stored(self, product_ids: Sequence[str], fields: Sequence[str]) -> dict[str, MongoDocument]:
        stored: dict[str, MongoDocument] = {}
        with self._store.asking():
            for start in range(0, len(product_ids), IDS_PER_QUERY):
                some = list(product_ids[start : start + IDS_PER_QUERY])
                query = {"_id": some[0] if len(some) == 1 else {"$in": some}}
                stored |= {document["_id"]: document for document in self._products.find(query, fields)}
        return stored

    def _changed(self, after_revision: int, limit: int, fields: Sequence[str]) -> Iterator[MongoDocument]:
        latest = self.revision()
        if after_revision >= latest:  # most polls; a server without ranges in indexes would read all products for each
            return
        query = {"revision": {"$gt": after_revision, "$lte": latest}}
        with self._store.asking(), self._products.find(query, fields).sort("revision").limit(limit) as found:
            yield from found


def alive(visible_at: datetime | None) -> MongoDocument:
    """The query for products that are not deleted and, at a moment, neither hidden nor expired."""
    if visible_at is None:
        return {"deleted": False}
    unexpired = [{"expires_at": None}, {"expires_at": {"$gt": to_micros(visible_at)}}]
    return {"deleted": False, "hidden": False, "$or": unexpired}


def _planned(product: Product, stored: MongoDocument | None, now: int) -> PlannedChange | None:
    before = 0 if stored is None else stored["revision"]
    living = None if stored is None or stored["deleted"] else stored
    created_at = now if living is None else living["created_at"]
    if product.created_at is not None:
        created_at = to_micros(product.created_at)
    content = content_of(product)
    if living is not None and living["created_at"] == created_at and content_of_document(living) == content:
        return None
    return PlannedChange(product.product_id, before, created_at, content)


def _groups(products: Mapping[str, Product]) -> Iterable[dict[str, Product]]:
    group: dict[str, Product] = {}
    budget = COMMIT_CHARACTERS
    for key, product in products.items():
        texts = (product.title, product.description, *product.categories, *product.tags, *product.attributes.values())
        budget -= 500 + sum(len(text.encode()) for text in texts)
        if group and budget < 0:
            yield group
            group, budget = {}, COMMIT_CHARACTERS
        group[key] = product
    if group:
        yield group


def _page(
    documents: Iterable[MongoDocument], filter: Expression | None, compiled: MongoFilter, limit: int
) -> ProductPage:
    products: list[Product] = []
    budget = PAGE_CHARACTERS
    passes = None if compiled.exact else predicate(filter)
    last_seen, scanned = "", 0
    for document in documents:
        if len(products) == limit:
            return ProductPage(products, last_seen)
        scanned += 1
        product = product_of_document(document)
        if passes is None or passes(record_of(product)):
            budget -= document["size"]
            if products and budget < 0:
                return ProductPage(products, last_seen)
            products.append(product)
        last_seen = document["_id"]
    return ProductPage(products, last_seen if scanned == SCANNED_DOCUMENTS and not compiled.exact else None)
