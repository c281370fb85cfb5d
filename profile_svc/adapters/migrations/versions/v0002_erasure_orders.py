"""The outbox of erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_erasure_orders",
        sa.Column("receipt_id", sa.String(64), primary_key=True),
        sa.Column("visitor_id", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_profile_erasure_orders_at", "profile_erasure_orders", ["at"])


def downgrade() -> None:
    op.drop_table("profile_erasure_orders")
