"""Metadata of customers, of what is sold, and of what money is about."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = (
    "tiers",
    "prices",
    "checkouts",
    "subscriptions",
    "invoices",
    "payments",
    "refunds",
    "orders",
    "customers",
)


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("metadata", sa.Text(), nullable=False, server_default="{}"))
