"""The writes of the product tables, inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from catalog_svc.adapters.product_content import to_micros
from catalog_svc.adapters.sql_engine import execute_many, replace_all
from catalog_svc.adapters.sql_rows import (
    COLUMNS,
    ProductRow,
    encode_document,
    product_of,
    row_of,
    tombstone_of,
)
from catalog_svc.adapters.sql_tables import product as t
from catalog_svc.adapters.sql_tables import state
from catalog_svc.adapters.sql_words import WordIndex
from catalog_svc.domain.model import Deleted, Product, Written
from catalog_svc.domain.words import document_of, same_words


@dataclass(frozen=True, slots=True)
class _Stored:
    number: int
    deleted: bool
    row: ProductRow

    @property
    def document(self) -> str:
        return str(self.row[4])

    @property
    def created_at(self) -> int:
        return int(self.row[2])


def upsert(connection: Connection, words: WordIndex, products: Sequence[Product], now: int) -> Written:
    """See `ProductRepository.upsert`."""
    latest = {product.product_id: product for product in products}
    revision = _lock_revision(connection)
    stored = _stored(connection, list(latest))
    rows: list[dict[str, object]] = []
    reindexed: list[tuple[int, Product]] = []
    outdated: list[int] = []
    created = 0
    for product_id, product in latest.items():
        before = stored.get(product_id)
        alive = None if before is None or before.deleted else before
        created_at = _created_at(product, alive, now)
        document = encode_document(product)
        if alive is not None and alive.document == document and alive.created_at == created_at:
            continue
        revision += 1
        number = revision if before is None else before.number
        rows.append(row_of(product, document, number, revision, created_at, now))
        if alive is None:
            created += 1
            reindexed.append((number, product))
        elif not same_words(product_of(alive.row), product):
            outdated.append(number)
            reindexed.append((number, product))
    if rows:
        execute_many(connection, replace_all(connection.dialect.name, t, "product_id"), rows)
        words.remove(connection, outdated)
        words.put(connection, ((number, document_of(product)) for number, product in reindexed))
        _set_revision(connection, revision)
    return Written(created, len(rows) - created, len(latest) - len(rows), revision)


def delete(connection: Connection, words: WordIndex, product_ids: Sequence[str], now: int) -> Deleted:
    """See `ProductRepository.delete`."""
    asked = list(dict.fromkeys(product_ids))
    revision = _lock_revision(connection)
    alive = {key: stored for key, stored in _stored(connection, asked).items() if not stored.deleted}
    rows = [
        tombstone_of(product_id, stored.number, revision + step, now)
        for step, (product_id, stored) in enumerate(alive.items(), 1)
    ]
    if rows:
        execute_many(connection, replace_all(connection.dialect.name, t, "product_id"), rows)
        words.remove(connection, [stored.number for stored in alive.values()])
        revision += len(rows)
        _set_revision(connection, revision)
    return Deleted(len(rows), [i for i in asked if i not in alive], revision)


def _lock_revision(connection: Connection) -> int:
    # SQLite holds the write lock since BEGIN IMMEDIATE and leaves FOR UPDATE out.
    return int(connection.execute(sa.select(state.c.revision).with_for_update()).scalar_one())


def _set_revision(connection: Connection, revision: int) -> None:
    connection.execute(sa.update(state).values(revision=revision))


def _stored(connection: Connection, product_ids: Sequence[str]) -> dict[str, _Stored]:
    statement = sa.select(*COLUMNS, t.c.number, t.c.deleted).where(t.c.product_id.in_(product_ids))
    return {row[0]: _Stored(row[5], row[6], row) for row in connection.execute(statement)}


def _created_at(product: Product, alive: _Stored | None, now: int) -> int:
    if product.created_at is not None:
        return to_micros(product.created_at)
    return now if alive is None else alive.created_at
