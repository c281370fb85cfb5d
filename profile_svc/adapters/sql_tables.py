"""Tables of the profile store; portable SQL (SQLite, PostgreSQL). Migrations in `migrations/` create them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import JSON, BigInteger, Boolean, Column, Dialect, Float, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator


class UtcMicroseconds(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC: exact, ordered, and alike in every database."""

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What columns of this type hold in Python."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the column."""
        return None if value is None else round(value.timestamp() * 1_000_000)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """From the column."""
        if value is None:
            return None
        seconds, micros = divmod(value, 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


metadata = MetaData()

visitors = Table(
    "profile_visitors",
    metadata,
    Column("visitor_hash", String(64), primary_key=True),
    Column("visitor_id", String(128), nullable=False, index=True),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("revision", BigInteger, nullable=False),
    Column("updated_at", UtcMicroseconds, nullable=False),
    Column("erased_at", UtcMicroseconds, nullable=True, index=True),  # set: a tombstone, all that follows is empty
    Column("categories", JSON, nullable=False),
    Column("brands", JSON, nullable=False),
    Column("excluded_categories", JSON, nullable=False),
    Column("price_min", Float, nullable=True),
    Column("price_max", Float, nullable=True),
    Column("currency", String(3), nullable=False),
    Column("opted_out", Boolean, nullable=False),
)

segments = Table(
    "profile_segments",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("filter", Text, nullable=False),
)

receipts = Table(
    "profile_receipts",
    metadata,
    Column("receipt_id", String(64), primary_key=True),
    Column("visitor_hash", String(64), nullable=False, index=True),
    Column("requested_at", UtcMicroseconds, nullable=False),
    Column("parts", JSON, nullable=False),
)

# What is still to be erased elsewhere: the outbox of the queue.
orders = Table(
    "profile_erasure_orders",
    metadata,
    Column("receipt_id", String(64), primary_key=True),
    Column("visitor_id", String(128), nullable=False),
    Column("at", UtcMicroseconds, nullable=False, index=True),
)

# One row. Every write raises `position` first and holds its lock until it commits, so positions appear in order.
feed = Table(
    "profile_feed",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("touch_due", Boolean, nullable=False),
)
