"""Preferences in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, literal, select, text, update

from profile_svc.adapters.sql_store import transaction
from profile_svc.adapters.sql_tables import feed, orders, receipts, visitors
from profile_svc.domain.model import (
    ErasedPart,
    ErasureOrder,
    ErasureReceipt,
    ErasureState,
    PreferenceChange,
    Preferences,
    Price,
)
from profile_svc.domain.rules import visitor_hash

TOUCH_BATCH = 5_000
_LIVE = visitors.c.erased_at.is_(None)


class SqlPreferenceRepository:
    """PreferenceRepository over SQLAlchemy; see `sql_tables` for how the feed keeps its order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, visitor_id: str) -> Preferences | None:
        """See port."""
        with transaction(self._engine) as db:
            row = _row(db, visitor_id)
        return _preferences(row) if row and row["erased_at"] is None else None

    def change(self, visitor_id: str, at: datetime, edit: Callable[[Preferences], Preferences]) -> Preferences:
        """See port."""
        with transaction(self._engine) as db:
            position = _next_position(db)
            row = _row(db, visitor_id)
            live = row is not None and row["erased_at"] is None
            current = _preferences(row) if row is not None and live else Preferences(visitor_id)
            edited = edit(current)
            if edited == current and live:
                return current
            made = replace(edited, visitor_id=visitor_id, updated_at=at, revision=position)
            values = {**_values(made), "position": position, "erased_at": None}
            if row is None:
                db.execute(insert(visitors).values(visitor_hash=visitor_hash(visitor_id), **values))
            else:
                db.execute(_where_visitor(update(visitors), visitor_id).values(**values))
            return made

    def erase(self, visitor_id: str, at: datetime, receipt_id: str) -> int:
        """See port."""
        with transaction(self._engine) as db:
            position = _next_position(db)
            db.execute(insert(orders).values(receipt_id=receipt_id, visitor_id=visitor_id, at=at))
            blank = {**_values(Preferences(visitor_id, updated_at=at)), "position": position, "erased_at": at}
            return db.execute(_where_visitor(update(visitors), visitor_id).where(_LIVE).values(**blank)).rowcount

    def forget_tombstones(self, before: datetime) -> int:
        """See port."""
        with transaction(self._engine) as db:
            return db.execute(delete(visitors).where(visitors.c.erased_at < before)).rowcount

    def changes_after(self, revision: int, *, limit: int) -> Sequence[PreferenceChange]:
        """See port."""
        query = select(visitors).where(visitors.c.position > revision).order_by(visitors.c.position).limit(limit)
        with transaction(self._engine) as db:
            rows = db.execute(query).mappings().all()
        return [
            PreferenceChange(r["position"], r["visitor_id"], None if r["erased_at"] else _preferences(r)) for r in rows
        ]

    def visitors(self, *, containing: str, after_id: str, limit: int) -> Sequence[Preferences]:
        """See port."""
        # COLLATE "C" is byte order of UTF-8, which is code point order; SQLite's default is that already.
        by_id = visitors.c.visitor_id.collate("C") if self._engine.name == "postgresql" else visitors.c.visitor_id
        query = select(visitors).where(_LIVE, by_id > literal(after_id)).order_by(by_id).limit(limit)
        if containing:
            query = query.where(func.lower(visitors.c.visitor_id).contains(_lower_ascii(containing), autoescape=True))
        with transaction(self._engine) as db:
            return [_preferences(row) for row in db.execute(query).mappings()]

    def count(self) -> int:
        """See port."""
        with transaction(self._engine) as db:
            return db.execute(select(func.count()).select_from(visitors).where(_LIVE)).scalar_one()

    def touch_all(self) -> int:
        """See port. In batches, so that writers get their turn; all move past the end as it stood at the start."""
        with transaction(self._engine) as db:
            end = _next_position(db)
        touched = 0
        while batch := self._touch_batch(end):
            touched += batch
        with transaction(self._engine) as db:
            db.execute(update(feed).values(touch_due=False))
        return touched

    def add_receipt(self, visitor_id: str, receipt: ErasureReceipt, *, settled: bool) -> None:
        """See port."""
        parts = [{"store": p.store, "what": p.what, "count": p.count, "state": p.state.value} for p in receipt.parts]
        with transaction(self._engine) as db:
            db.execute(
                insert(receipts).values(
                    receipt_id=receipt.receipt_id,
                    visitor_hash=visitor_hash(visitor_id),
                    requested_at=receipt.requested_at,
                    parts=parts,
                )
            )
            if settled:
                db.execute(delete(orders).where(orders.c.receipt_id == receipt.receipt_id))

    def open_orders(self, before: datetime, *, limit: int) -> Sequence[ErasureOrder]:
        """See port."""
        query = select(orders.c.receipt_id, orders.c.visitor_id, orders.c.at).where(orders.c.at < before)
        with transaction(self._engine) as db:
            rows = db.execute(query.order_by(orders.c.at, orders.c.receipt_id).limit(limit)).all()
        return [ErasureOrder(*row) for row in rows]

    def settle(self, receipt_id: str) -> None:
        """See port."""
        with transaction(self._engine) as db:
            db.execute(delete(orders).where(orders.c.receipt_id == receipt_id))

    def receipts(self, visitor_id: str) -> Sequence[ErasureReceipt]:
        """See port."""
        query = (
            select(receipts)
            .where(receipts.c.visitor_hash == visitor_hash(visitor_id))
            .order_by(receipts.c.requested_at.desc(), receipts.c.receipt_id)
        )
        with transaction(self._engine) as db:
            return [_receipt(row) for row in db.execute(query).mappings()]

    def ping(self) -> None:
        """See port."""
        with transaction(self._engine) as db:
            db.execute(text("SELECT 1"))

    def _touch_batch(self, end: int) -> int:
        with transaction(self._engine) as db:
            first = _next_position(db, TOUCH_BATCH)
            query = select(visitors.c.visitor_hash).where(_LIVE, visitors.c.position < end)
            hashes = db.execute(query.order_by(visitors.c.position).limit(TOUCH_BATCH)).scalars().all()
            for offset, key in enumerate(hashes):
                db.execute(update(visitors).where(visitors.c.visitor_hash == key).values(position=first + offset))
        return len(hashes)


def _next_position(db: Connection, count: int = 1) -> int:
    """Takes `count` positions and the write lock; returns the first."""
    db.execute(update(feed).values(position=feed.c.position + count))
    last: int = db.execute(select(feed.c.position)).scalar_one()
    return last - count + 1


def _row(db: Connection, visitor_id: str) -> RowMapping | None:
    return db.execute(_where_visitor(select(visitors), visitor_id)).mappings().first()


def _where_visitor(statement: Any, visitor_id: str) -> Any:
    return statement.where(visitors.c.visitor_hash == visitor_hash(visitor_id))


def _values(p: Preferences) -> dict[str, object]:
    priced = p.price_min or p.price_max
    return {
        "visitor_id": p.visitor_id,
        "categories": list(p.categories),
        "brands": list(p.brands),
        "excluded_categories": list(p.excluded_categories),
        "price_min": p.price_min.amount if p.price_min else None,
        "price_max": p.price_max.amount if p.price_max else None,
        "currency": priced.currency if priced else "",
        "opted_out": p.opted_out,
        "updated_at": p.updated_at,
        "revision": p.revision,
    }


def _preferences(row: RowMapping) -> Preferences:
    return Preferences(
        visitor_id=row["visitor_id"],
        categories=tuple(row["categories"]),
        brands=tuple(row["brands"]),
        excluded_categories=tuple(row["excluded_categories"]),
        price_min=None if row["price_min"] is None else Price(row["price_min"], row["currency"]),
        price_max=None if row["price_max"] is None else Price(row["price_max"], row["currency"]),
        opted_out=row["opted_out"],
        updated_at=row["updated_at"],
        revision=row["revision"],
    )


def _receipt(row: RowMapping) -> ErasureReceipt:
    parts = tuple(ErasedPart(p["store"], p["what"], p["count"], ErasureState(p["state"])) for p in row["parts"])
    return ErasureReceipt(row["receipt_id"], row["requested_at"], parts)


def _lower_ascii(text_: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text_)
