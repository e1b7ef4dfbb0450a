"""The money path: catalogue, tokens and origins, test clocks, gateways and subscriptions, stock and orders."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from dream_api.core import clock, ids

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
    with op.batch_alter_table("tiers") as tiers:
        tiers.add_column(sa.Column("description", sa.Text(), nullable=True))
        tiers.add_column(sa.Column("features", sa.Text(), server_default="[]", nullable=False))
        tiers.add_column(sa.Column("is_popular", sa.Boolean(), server_default=sa.false(), nullable=False))
        tiers.add_column(sa.Column("is_visible", sa.Boolean(), server_default=sa.true(), nullable=False))
        tiers.add_column(sa.Column("is_sold_out", sa.Boolean(), server_default=sa.false(), nullable=False))
        tiers.add_column(sa.Column("trial_days", sa.SmallInteger(), server_default="0", nullable=False))
        tiers.add_column(sa.Column("image_url", sa.Text(), nullable=True))
        tiers.add_column(sa.Column("archived_at", sa.BigInteger(), nullable=True))
        tiers.create_check_constraint(op.f("ck_tiers__trial_days"), "trial_days >= 0")
    prices = op.create_table(
        "prices",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("tier_id", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("billing_scheme", KEY, nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=True),
        sa.Column("per", sa.BigInteger(), nullable=False),
        sa.Column("tiers", sa.Text(), nullable=True),
        sa.Column("interval", KEY, nullable=True),
        sa.Column("interval_count", sa.SmallInteger(), nullable=False),
        sa.Column("meter", KEY, nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_prices__mode")),
        sa.CheckConstraint("type IN ('recurring', 'one_time', 'usage')", name=op.f("ck_prices__type")),
        sa.CheckConstraint(
            "billing_scheme IN ('flat_rate', 'per_unit', 'tiered', 'volume')", name=op.f("ck_prices__billing_scheme")
        ),
        sa.CheckConstraint("(unit_amount IS NULL) = (tiers IS NOT NULL)", name=op.f("ck_prices__amounts")),
        sa.CheckConstraint("unit_amount >= 0 AND per >= 1", name=op.f("ck_prices__unit_amount")),
        sa.CheckConstraint("\"interval\" IN ('day', 'week', 'month', 'year')", name=op.f("ck_prices__interval")),
        sa.CheckConstraint("(type = 'one_time') = (\"interval\" IS NULL)", name=op.f("ck_prices__once")),
        sa.CheckConstraint("interval_count >= 1", name=op.f("ck_prices__interval_count")),
        sa.CheckConstraint("(type = 'usage') = (meter IS NOT NULL)", name=op.f("ck_prices__meter")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_prices__platform_id_project_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "tier_id"], ["tiers.platform_id", "tiers.id"], name=op.f("fk_prices__platform_id_tier_id")
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_prices")),
    )
    op.create_index("ix_prices__tier", "prices", ["platform_id", "tier_id", "id"])
    op.create_table(
        "coupons",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("percent_off", sa.SmallInteger(), nullable=True),
        sa.Column("amount_off", sa.BigInteger(), nullable=True),
        sa.Column("currency", KEY, nullable=True),
        sa.Column("duration", KEY, nullable=False),
        sa.Column("duration_months", sa.SmallInteger(), nullable=True),
        sa.Column("max_redemptions", sa.BigInteger(), nullable=True),
        sa.Column("redeemed", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_coupons__mode")),
        sa.CheckConstraint("(percent_off IS NULL) = (amount_off IS NOT NULL)", name=op.f("ck_coupons__off")),
        sa.CheckConstraint("percent_off BETWEEN 1 AND 100", name=op.f("ck_coupons__percent_off")),
        sa.CheckConstraint("amount_off > 0", name=op.f("ck_coupons__amount_off")),
        sa.CheckConstraint("(amount_off IS NULL) = (currency IS NULL)", name=op.f("ck_coupons__currency")),
        sa.CheckConstraint("duration IN ('once', 'repeating', 'forever')", name=op.f("ck_coupons__duration")),
        sa.CheckConstraint(
            "(duration = 'repeating') = (duration_months IS NOT NULL)", name=op.f("ck_coupons__duration_months")
        ),
        sa.CheckConstraint(
            "redeemed >= 0 AND (max_redemptions IS NULL OR redeemed <= max_redemptions)",
            name=op.f("ck_coupons__redeemed"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_coupons__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_coupons")),
        sa.UniqueConstraint(
            "platform_id", "project_id", "mode", "code", name=op.f("uq_coupons__platform_id_project_id_mode_code")
        ),
    )
    op.bulk_insert(prices, [_level_price(level) for level in op.get_bind().execute(sa.text(_LEVELS))])


# What the shipped levels cost a month in US cents, by their number.
_LEVEL_AMOUNTS = {1: 6_000, 2: 12_000, 3: 18_000}
_LEVELS = """
    SELECT tiers.platform_id, tiers.project_id, tiers.mode, tiers.id AS tier_id, tiers.number
    FROM tiers JOIN instance ON instance.name = 'home_project_id' AND instance.value = tiers.project_id
    WHERE tiers.number IN (1, 2, 3) ORDER BY tiers.id
"""


def _level_price(level: sa.Row[Any]) -> dict[str, Any]:
    """The price of a home's level, made by a release that had none."""
    return {
        "platform_id": level.platform_id,
        "id": ids.new("price"),
        "project_id": level.project_id,
        "mode": level.mode,
        "tier_id": level.tier_id,
        "currency": "usd",
        "type": "recurring",
        "billing_scheme": "flat_rate",
        "unit_amount": _LEVEL_AMOUNTS[level.number],
        "per": 1,
        "interval": "month",
        "interval_count": 1,
        "created_at": clock.now(),
    }


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
    op.create_table(
        "stock",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("tier_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("low_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_stock__mode")),
        sa.CheckConstraint("held >= 0 AND held <= on_hand", name=op.f("ck_stock__held")),
        sa.CheckConstraint("low_at >= 0", name=op.f("ck_stock__low_at")),
        sa.ForeignKeyConstraint(
            ["platform_id", "tier_id"], ["tiers.platform_id", "tiers.id"], name=op.f("fk_stock__platform_id_tier_id")
        ),
        sa.PrimaryKeyConstraint("platform_id", "tier_id", name=op.f("pk_stock")),
    )
