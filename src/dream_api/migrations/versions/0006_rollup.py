"""Sums of finished hours, so that charts read as many rows as they have points."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "usage_totals",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("meter_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_no", "meter_no", "mode", "hour", name=op.f("pk_usage_totals")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_rolled",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_no", name=op.f("pk_usage_rolled")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_late",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("platform_no", "hour", "id", name=op.f("pk_usage_late")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_usage_hours__hour", "usage_hours", ["platform_no", "hour"])
    op.create_index("ix_invoices__customer", "invoices", ["platform_id", "customer_id", "id"])
    op.create_index("ix_payments__customer", "payments", ["platform_id", "customer_id", "id"])
    op.create_index("ix_events__type", "events", ["platform_id", "project_id", "mode", "type", "id"])
