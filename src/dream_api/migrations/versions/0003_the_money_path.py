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
    op.create_index("ix_tiers__project", "tiers", ["platform_id", "project_id", "mode", "id"])
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
    op.create_table(
        "gateway_accounts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("gateway", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("gateway IN ('sandbox', 'stripe')", name=op.f("ck_gateway_accounts__gateway")),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_gateway_accounts__mode")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_gateway_accounts__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_accounts")),
        sa.UniqueConstraint(
            "platform_id",
            "project_id",
            "mode",
            "gateway",
            name=op.f("uq_gateway_accounts__platform_id_project_id_mode_gateway"),
        ),
    )
    op.create_table(
        "gateway_events",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("object_kind", KEY, nullable=True),
        sa.Column("object_id", KEY, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_gateway_events__mode")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_gateway_events__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "account", "id", name=op.f("pk_gateway_events")),
    )
    op.create_index("ix_gateway_events__received_at", "gateway_events", ["received_at"])
    op.create_table(
        "gateway_objects",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("ticket", sa.BigInteger(), nullable=False),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("0 <= written AND written <= ticket", name=op.f("ck_gateway_objects__ticket")),
        sa.PrimaryKeyConstraint("platform_id", "account", "id", name=op.f("pk_gateway_objects")),
    )
    op.create_table(
        "gateway_customers",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "customer_id"],
            ["customers.platform_id", "customers.id"],
            name=op.f("fk_gateway_customers__platform_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "account", "id", name=op.f("pk_gateway_customers")),
        sa.UniqueConstraint(
            "platform_id", "account", "customer_id", name=op.f("uq_gateway_customers__platform_id_account_customer_id")
        ),
    )
    op.create_table(
        "checkouts",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("purpose", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=True),
        sa.Column("email", KEY, nullable=True),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("coupon_id", KEY, nullable=True),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("success_url", KEY, nullable=False),
        sa.Column("cancel_url", KEY, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("gateway_id", KEY, nullable=True),
        sa.Column("url", KEY, nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_checkouts__mode")),
        sa.CheckConstraint("purpose IN ('subscription', 'cart')", name=op.f("ck_checkouts__purpose")),
        sa.CheckConstraint("status IN ('opening', 'open', 'complete', 'expired')", name=op.f("ck_checkouts__status")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_checkouts__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_checkouts")),
        sa.UniqueConstraint(
            "platform_id", "account", "gateway_id", name=op.f("uq_checkouts__platform_id_account_gateway_id")
        ),
        sa.UniqueConstraint("platform_id", "request", name=op.f("uq_checkouts__platform_id_request")),
    )
    op.create_index("ix_checkouts__project", "checkouts", ["platform_id", "project_id", "mode", "id"])
    op.create_index(
        "ix_checkouts__unpaid",
        "checkouts",
        ["expires_at"],
        sqlite_where=sa.text("status IN ('opening', 'open')"),
        postgresql_where=sa.text("status IN ('opening', 'open')"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("plan", KEY, nullable=False),
        sa.Column("price_id", KEY, nullable=False),
        sa.Column("product_id", KEY, nullable=False),
        sa.Column("usage_prices", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("monthly_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("period_starts_at", sa.BigInteger(), nullable=False),
        sa.Column("period_ends_at", sa.BigInteger(), nullable=False),
        sa.Column("trial_ends_at", sa.BigInteger(), nullable=True),
        sa.Column("lapses_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_at", sa.BigInteger(), nullable=True),
        sa.Column("canceled_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_reason", KEY, nullable=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("gateway", KEY, nullable=False),
        sa.Column("gateway_id", KEY, nullable=False),
        sa.Column("gateway_customer", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_subscriptions__mode")),
        sa.CheckConstraint(
            "status IN ('free', 'trialing', 'active', 'past_due', 'paused', 'canceled')",
            name=op.f("ck_subscriptions__status"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "customer_id"],
            ["customers.platform_id", "customers.id"],
            name=op.f("fk_subscriptions__platform_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "price_id"],
            ["prices.platform_id", "prices.id"],
            name=op.f("fk_subscriptions__platform_id_price_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_subscriptions__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint(
            "platform_id", "account", "gateway_id", name=op.f("uq_subscriptions__platform_id_account_gateway_id")
        ),
    )
    op.create_index("ix_subscriptions__customer", "subscriptions", ["platform_id", "customer_id"])
    op.create_index(
        "ix_subscriptions__lapsing",
        "subscriptions",
        ["lapses_at"],
        sqlite_where=sa.text("holds AND lapses_at IS NOT NULL"),
        postgresql_where=sa.text("holds AND lapses_at IS NOT NULL"),
    )
    op.create_index("ix_subscriptions__project", "subscriptions", ["platform_id", "project_id", "mode", "id"])
    op.create_table(
        "invoices",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=True),
        sa.Column("subscription_id", KEY, nullable=True),
        sa.Column("number", KEY, nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("amount_due", sa.BigInteger(), nullable=False),
        sa.Column("amount_paid", sa.BigInteger(), nullable=False),
        sa.Column("period_starts_at", sa.BigInteger(), nullable=False),
        sa.Column("period_ends_at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("gateway_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_invoices__mode")),
        sa.CheckConstraint(
            "status IN ('draft', 'open', 'paid', 'void', 'uncollectible')", name=op.f("ck_invoices__status")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_invoices__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_invoices")),
        sa.UniqueConstraint(
            "platform_id", "account", "gateway_id", name=op.f("uq_invoices__platform_id_account_gateway_id")
        ),
    )
    op.create_index("ix_invoices__project", "invoices", ["platform_id", "project_id", "mode", "id"])
    op.create_index("ix_invoices__subscription", "invoices", ["platform_id", "subscription_id"])
    op.create_table(
        "payments",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("customer_id", KEY, nullable=True),
        sa.Column("invoice", KEY, nullable=True),
        sa.Column("checkout_id", KEY, nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("method", KEY, nullable=True),
        sa.Column("brand", KEY, nullable=True),
        sa.Column("last4", KEY, nullable=True),
        sa.Column("failure", KEY, nullable=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("gateway_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_payments__mode")),
        sa.CheckConstraint(
            "status IN ('pending', 'succeeded', 'failed', 'canceled')", name=op.f("ck_payments__status")
        ),
        sa.CheckConstraint("0 <= refunded AND refunded <= amount", name=op.f("ck_payments__refunded")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_payments__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "platform_id", "account", "gateway_id", name=op.f("uq_payments__platform_id_account_gateway_id")
        ),
    )
    op.create_index("ix_payments__project", "payments", ["platform_id", "project_id", "mode", "id"])
    op.create_index("ix_payments__time", "payments", ["platform_id", "project_id", "mode", "created_at"])
    op.create_table(
        "refunds",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("payment_id", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", KEY, nullable=True),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("gateway_id", KEY, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_refunds__mode")),
        sa.CheckConstraint("status IN ('asked', 'pending', 'succeeded', 'failed')", name=op.f("ck_refunds__status")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds__amount")),
        sa.ForeignKeyConstraint(
            ["platform_id", "payment_id"],
            ["payments.platform_id", "payments.id"],
            name=op.f("fk_refunds__platform_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_refunds__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_refunds")),
        sa.UniqueConstraint(
            "platform_id", "account", "gateway_id", name=op.f("uq_refunds__platform_id_account_gateway_id")
        ),
        sa.UniqueConstraint("platform_id", "request", name=op.f("uq_refunds__platform_id_request")),
    )
    op.create_index("ix_refunds__payment", "refunds", ["platform_id", "payment_id"])
    op.create_index("ix_refunds__time", "refunds", ["platform_id", "project_id", "mode", "created_at"])
    op.create_table(
        "disputes",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("payment_id", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_disputes__mode")),
        sa.CheckConstraint("status IN ('open', 'won', 'lost')", name=op.f("ck_disputes__status")),
        sa.ForeignKeyConstraint(
            ["platform_id", "payment_id"],
            ["payments.platform_id", "payments.id"],
            name=op.f("fk_disputes__platform_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_disputes__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "account", "id", name=op.f("pk_disputes")),
    )
    op.create_table(
        "usage_bills",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("meter", KEY, nullable=False),
        sa.Column("period_starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period_ends_at", sa.BigInteger(), nullable=False),
        sa.Column("price_id", KEY, nullable=False),
        sa.Column("customer_no", sa.BigInteger(), nullable=False),
        sa.Column("meter_no", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("invoice", KEY, nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity >= 0 AND amount >= 0", name=op.f("ck_usage_bills__amount")),
        sa.ForeignKeyConstraint(
            ["platform_id", "subscription_id"],
            ["subscriptions.platform_id", "subscriptions.id"],
            name=op.f("fk_usage_bills__platform_id_subscription_id"),
        ),
        sa.PrimaryKeyConstraint(
            "platform_id", "subscription_id", "meter", "period_starts_at", name=op.f("pk_usage_bills")
        ),
    )
    op.create_table(
        "sandbox_objects",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("parent", KEY, nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_sandbox_objects__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "account", "id", name=op.f("pk_sandbox_objects")),
    )
    op.create_index(
        "ix_sandbox_objects__due",
        "sandbox_objects",
        ["platform_id", "account", "due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_sandbox_objects__parent", "sandbox_objects", ["platform_id", "account", "parent", "id"])
    op.create_table(
        "sandbox_events",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_sandbox_events__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "account", "id", name=op.f("pk_sandbox_events")),
    )
    op.create_index("ix_sandbox_events__created_at", "sandbox_events", ["created_at"])
    op.create_index(
        "ix_sandbox_events__undelivered",
        "sandbox_events",
        ["platform_id", "account", "id"],
        sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "sandbox_requests",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_id", "account", "key", name=op.f("pk_sandbox_requests")),
    )
    op.create_index("ix_sandbox_requests__created_at", "sandbox_requests", ["created_at"])


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
    op.create_table(
        "stock_holds",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("checkout_id", KEY, nullable=False),
        sa.Column("tier_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_stock_holds__mode")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_holds__quantity")),
        sa.CheckConstraint("state IN ('held', 'settled', 'released')", name=op.f("ck_stock_holds__state")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_stock_holds__platform_id_project_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "checkout_id"],
            ["checkouts.platform_id", "checkouts.id"],
            name=op.f("fk_stock_holds__platform_id_checkout_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "tier_id"],
            ["tiers.platform_id", "tiers.id"],
            name=op.f("fk_stock_holds__platform_id_tier_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "checkout_id", "tier_id", name=op.f("pk_stock_holds")),
    )
    _orders()


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("checkout_id", KEY, nullable=False),
        sa.Column("payment_id", KEY, nullable=True),
        sa.Column("customer_id", KEY, nullable=True),
        sa.Column("email", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("refunded_amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_orders__mode")),
        sa.CheckConstraint(
            "status IN ('processing', 'completed', 'failed', 'canceled', 'refunded')", name=op.f("ck_orders__status")
        ),
        sa.CheckConstraint("discount >= 0 AND total >= 0", name=op.f("ck_orders__total")),
        sa.CheckConstraint(
            "0 <= refunded_amount AND refunded_amount <= total", name=op.f("ck_orders__refunded_amount")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_orders__platform_id_project_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "checkout_id"],
            ["checkouts.platform_id", "checkouts.id"],
            name=op.f("fk_orders__platform_id_checkout_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "payment_id"],
            ["payments.platform_id", "payments.id"],
            name=op.f("fk_orders__platform_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "customer_id"],
            ["customers.platform_id", "customers.id"],
            name=op.f("fk_orders__platform_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint("platform_id", "checkout_id", name=op.f("uq_orders__platform_id_checkout_id")),
        sa.UniqueConstraint(
            "platform_id", "project_id", "mode", "number", name=op.f("uq_orders__platform_id_project_id_mode_number")
        ),
    )
    op.create_index("ix_orders__project", "orders", ["platform_id", "project_id", "mode", "id"])
    op.create_index("ix_orders__email", "orders", ["platform_id", "project_id", "mode", "email", "id"])
    op.create_index("ix_orders__customer", "orders", ["platform_id", "customer_id", "id"])
    op.create_table(
        "order_lines",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tier_id", KEY, nullable=False),
        sa.Column("price_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_quantity", sa.BigInteger(), nullable=False),
        sa.Column("restocked_quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0 AND amount >= 0", name=op.f("ck_order_lines__quantity")),
        sa.CheckConstraint(
            "0 <= refunded_quantity AND refunded_quantity <= quantity", name=op.f("ck_order_lines__refunded_quantity")
        ),
        sa.CheckConstraint(
            "0 <= restocked_quantity AND restocked_quantity <= quantity",
            name=op.f("ck_order_lines__restocked_quantity"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "order_id"],
            ["orders.platform_id", "orders.id"],
            name=op.f("fk_order_lines__platform_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "tier_id"],
            ["tiers.platform_id", "tiers.id"],
            name=op.f("fk_order_lines__platform_id_tier_id"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "price_id"],
            ["prices.platform_id", "prices.id"],
            name=op.f("fk_order_lines__platform_id_price_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "order_id", "line", name=op.f("pk_order_lines")),
    )
    op.create_table(
        "order_events",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "order_id"],
            ["orders.platform_id", "orders.id"],
            name=op.f("fk_order_events__platform_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "at", "id", name=op.f("pk_order_events")),
    )
    op.create_index("ix_order_events__order", "order_events", ["platform_id", "order_id", "id"])
