"""Products in SQL. One class for SQLite and PostgreSQL; what differs stands in `sql_engine` and `sql_words`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from catalog_svc.adapters import sql_writes
from catalog_svc.adapters.product_content import to_micros
from catalog_svc.adapters.sql_engine import Database
from catalog_svc.adapters.sql_filter import SqlFilter, compile_filter
from catalog_svc.adapters.sql_rows import COLUMNS, ProductRow, change_of, product_of
from catalog_svc.adapters.sql_search import SqlSearch
from catalog_svc.adapters.sql_tables import metadata, state
from catalog_svc.adapters.sql_tables import product as t
from catalog_svc.adapters.sql_words import word_index
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
SCANNED_ROWS = 20_000  # most products looked at for one page of a filter that SQL can not say exactly
SCHEMA_LOCK = 0x7265636F_63617461  # any number of ours: who makes tables holds it


class SqlProductRepository:
    """See `domain.ports.ProductRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._words = word_index(database.dialect)
        self._search = SqlSearch(database, self._words, PAGE_CHARACTERS, SCANNED_ROWS)

    def prepare(self) -> None:
        """Creates what is missing of the tables; of several replicas that start together, one after the other."""
        with self._database.writing() as connection:
            if self._database.dialect == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
            metadata.create_all(connection)
            self._words.create(connection)
            if connection.execute(sa.select(state.c.id)).first() is None:
                connection.execute(sa.insert(state).values(id=1, revision=0))

    def ping(self) -> None:
        """Reads the one row that every write needs."""
        self.revision()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def upsert(self, products: Sequence[Product], now: datetime) -> Written:
        """See the port."""
        with self._database.writing() as connection:
            return sql_writes.upsert(connection, self._words, products, to_micros(now))

    def delete(self, product_ids: Sequence[str], now: datetime) -> Deleted:
        """See the port."""
        with self._database.writing() as connection:
            return sql_writes.delete(connection, self._words, product_ids, to_micros(now))

    def get(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """See the port."""
        if not product_ids:
            return {}
        statement = sa.select(*COLUMNS).where(t.c.product_id.in_(product_ids), t.c.deleted.is_(False))
        with self._database.reading() as connection:
            return {row[0]: product_of(row) for row in connection.execute(statement)}

    def page(self, filter: Expression | None, *, visible_at: datetime | None, after_id: str, limit: int) -> ProductPage:
        """See the port."""
        compiled = compile_filter(filter)
        statement = (
            sa.select(*COLUMNS)
            .where(t.c.product_id > after_id, *alive(visible_at), compiled.condition)
            .order_by(t.c.product_id)
            .limit(limit + 1 if compiled.exact else SCANNED_ROWS)
        )
        with self._database.reading() as connection:
            rows = connection.execution_options(stream_results=True, max_row_buffer=limit + 1).execute(statement)
            return _page(rows, filter, compiled, limit)

    def search(
        self, words: Sequence[str], filter: Expression | None, *, visible_at: datetime, limit: int
    ) -> Sequence[SearchHit]:
        """See the port."""
        return self._search.hits(words, filter, alive(visible_at), limit)

    def category_counts(self, visible_at: datetime) -> Mapping[tuple[str, ...], int]:
        """See the port."""
        statement = (
            sa.select(t.c.categories, sa.func.count())
            .where(t.c.categories != "", *alive(visible_at))
            .group_by(t.c.categories)
        )
        with self._database.reading() as connection:
            return {tuple(paths.split("\n")): count for paths, count in connection.execute(statement)}

    def changes(self, after_revision: int, limit: int) -> ChangePage:
        """See the port."""
        statement = sa.select(*COLUMNS).where(t.c.revision > after_revision).order_by(t.c.revision).limit(limit + 1)
        changes: list[Change] = []
        budget = PAGE_CHARACTERS
        with self._database.reading() as connection:
            for row in connection.execution_options(stream_results=True, max_row_buffer=500).execute(statement):
                budget -= len(row[4])
                if changes and (len(changes) == limit or budget < 0):
                    return ChangePage(changes, has_more=True)
                changes.append(change_of(row))
        return ChangePage(changes, has_more=False)

    def changed_ids(self, after_revision: int, limit: int) -> Sequence[tuple[int, str]]:
        """See the port."""
        statement = (
            sa.select(t.c.revision, t.c.product_id)
            .where(t.c.revision > after_revision)
            .order_by(t.c.revision)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [(revision, product_id) for revision, product_id in connection.execute(statement)]

    def latest_changes(self, limit: int) -> Sequence[Change]:
        """See the port."""
        statement = sa.select(*COLUMNS).order_by(t.c.revision.desc()).limit(limit)
        with self._database.reading() as connection:
            return [change_of(row) for row in connection.execute(statement)]

    def revision(self) -> int:
        """See the port."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(state.c.revision)).scalar_one())

    def advance(self, revision: int) -> None:
        """See the port."""
        with self._database.writing() as connection:
            connection.execute(sa.update(state).where(state.c.revision < revision).values(revision=revision))

    def counts(self, now: datetime) -> CatalogCounts:
        """See the port."""
        moment = to_micros(now)
        expired = sa.and_(t.c.expires_at.is_not(None), t.c.expires_at <= moment)
        visible = sa.and_(t.c.hidden.is_(False), sa.not_(expired))
        sold_out = sa.and_(visible, t.c.availability == "out_of_stock")
        numbers = [
            sa.func.count().filter(condition) for condition in (sa.true(), visible, t.c.hidden, sold_out, expired)
        ]
        last = sa.select(state.c.revision).scalar_subquery()
        with self._database.reading() as connection:
            row = connection.execute(sa.select(*numbers, last).where(t.c.deleted.is_(False))).one()
        return CatalogCounts(*map(int, row))


def alive(visible_at: datetime | None) -> list[sa.ColumnElement[bool]]:
    """The conditions of products that are not deleted and, at a moment, neither hidden nor expired."""
    conditions: list[sa.ColumnElement[bool]] = [t.c.deleted.is_(False)]
    if visible_at is not None:
        moment = to_micros(visible_at)
        conditions += [t.c.hidden.is_(False), sa.or_(t.c.expires_at.is_(None), t.c.expires_at > moment)]
    return conditions


def _page(rows: Iterable[ProductRow], filter: Expression | None, compiled: SqlFilter, limit: int) -> ProductPage:
    products: list[Product] = []
    budget = PAGE_CHARACTERS
    passes = None if compiled.exact else predicate(filter)
    last_seen, scanned = "", 0
    for row in rows:
        if len(products) == limit:
            return ProductPage(products, last_seen)
        scanned += 1
        product = product_of(row)
        if passes is None or passes(record_of(product)):
            budget -= len(row[4])
            if products and budget < 0:
                return ProductPage(products, last_seen)
            products.append(product)
        last_seen = row[0]
    return ProductPage(products, last_seen if scanned == SCANNED_ROWS and not compiled.exact else None)
