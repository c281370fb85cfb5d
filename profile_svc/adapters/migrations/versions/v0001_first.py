"""Visitors, segments, receipts and the feed counter."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_visitors",
        sa.Column("visitor_hash", sa.String(64), primary_key=True),
        sa.Column("visitor_id", sa.String(128), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=True),
        sa.Column("categories", sa.JSON, nullable=False),
        sa.Column("brands", sa.JSON, nullable=False),
        sa.Column("excluded_categories", sa.JSON, nullable=False),
        sa.Column("price_min", sa.Float, nullable=True),
        sa.Column("price_max", sa.Float, nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("opted_out", sa.Boolean, nullable=False),
        sa.UniqueConstraint("position", name="uq_profile_visitors_position"),
    )
    op.create_index("ix_profile_visitors_visitor_id", "profile_visitors", ["visitor_id"])
    op.create_index("ix_profile_visitors_erased_at", "profile_visitors", ["erased_at"])
    op.create_table(
        "profile_segments",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
    )
    op.create_table(
        "profile_receipts",
        sa.Column("receipt_id", sa.String(64), primary_key=True),
        sa.Column("visitor_hash", sa.String(64), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
    )
    op.create_index("ix_profile_receipts_visitor_hash", "profile_receipts", ["visitor_hash"])
    counter = op.create_table(
        "profile_feed",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("touch_due", sa.Boolean, nullable=False),
    )
    op.bulk_insert(counter, [{"id": 1, "position": 0, "touch_due": False}])


def downgrade() -> None:
    for table in ("profile_feed", "profile_receipts", "profile_segments", "profile_visitors"):
        op.drop_table(table)
