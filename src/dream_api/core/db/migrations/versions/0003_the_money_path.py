"""The money path: catalogue, tokens and origins, test clocks, gateways and subscriptions, stock and orders."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _catalog()
    _callers()
    _clocks()
    _billing()
    _store()


def _catalog() -> None:
    """Prices, coupons, and what a tier tells of itself."""


def _callers() -> None:
    """Personal tokens, and where projects may send people."""
    op.create_table(
        "personal_tokens",
        sa.Column("id", KEY, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("shown", KEY, nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name=op.f("ck_personal_tokens__role")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_personal_tokens__platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_personal_tokens__hash")),
    )
    op.create_index("ix_personal_tokens__platform", "personal_tokens", ["platform_id", "id"])
    op.add_column("projects", sa.Column("origins", sa.Text(), server_default="[]", nullable=False))


def _clocks() -> None:
    """How far ahead a project's test mode is, and which billing periods are closed."""
    op.create_table(
        "test_clocks",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("ahead", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ahead > 0", name=op.f("ck_test_clocks__ahead")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_test_clocks__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "project_id", name=op.f("pk_test_clocks")),
    )
    op.add_column("usage_counters", sa.Column("closed_until", sa.BigInteger(), server_default="0", nullable=False))


def _billing() -> None:
    """Gateways, what they tell, and what was bought."""


def _store() -> None:
    """Stock, and orders."""
