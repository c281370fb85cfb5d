"""The tables of the catalog, for SQLite and PostgreSQL alike.

Moments are microseconds since 1970. `*_key` columns hold folded text that filters compare (`adapters.sql_filter`);
keys with several values hold one per line, with a line break at both ends.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects import postgresql

metadata = MetaData()

_BIG = BigInteger().with_variant(Integer(), "sqlite")  # SQLite keys rows by a plain INTEGER only
_BYTE_ORDER = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

state = Table(
    "catalog_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", _BIG, nullable=False),
    comment="One row; writers lock it, so revisions become visible in order.",
)

product = Table(
    "product",
    metadata,
    Column("number", _BIG, primary_key=True, autoincrement=False, comment="The revision that created it."),
    Column("product_id", _BYTE_ORDER, nullable=False, unique=True),
    Column("revision", _BIG, nullable=False, unique=True),
    Column("deleted", Boolean, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("created_at", _BIG, nullable=False),
    Column("updated_at", _BIG, nullable=False),
    Column("expires_at", _BIG),
    Column("price", Double, comment="The effective price."),
    Column("availability", Text, nullable=False),
    Column("product_key", Text, nullable=False),
    Column("title_key", Text, nullable=False),
    Column("brand_key", Text, nullable=False),
    Column("currency_key", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("gtin_key", Text, nullable=False),
    Column("category_keys", Text, nullable=False),
    Column("tag_keys", Text, nullable=False),
    Column("attribute_keys", Text, nullable=False),
    Column("categories", Text, nullable=False, comment="Paths as written, one per line."),
    Column("document", Text, nullable=False, comment="The product as JSON (adapters.sql_rows); empty once deleted."),
)

# Categories and counts are read from this index alone. PostgreSQL indexes no text of that length.
Index(
    "product_at_a_glance",
    product.c.categories,
    product.c.deleted,
    product.c.hidden,
    product.c.expires_at,
    product.c.availability,
).ddl_if(dialect="sqlite")

relay_cursor = Table(
    "relay_cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", _BIG, nullable=False),
)

import_job = Table(
    "import_job",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("filename", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("started_at", _BIG, nullable=False, index=True),
    Column("seen_at", _BIG, nullable=False),
    Column("finished_at", _BIG),
    Column("total_bytes", _BIG, nullable=False),
    Column("done_bytes", _BIG, nullable=False),
    Column("read", _BIG, nullable=False),
    Column("created", _BIG, nullable=False),
    Column("updated", _BIG, nullable=False),
    Column("unchanged", _BIG, nullable=False),
    Column("rejected", _BIG, nullable=False),
    Column("error", Text, nullable=False),
)

import_rejection = Table(
    "import_rejection",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("line", _BIG, primary_key=True, autoincrement=False),
    Column("raw", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
