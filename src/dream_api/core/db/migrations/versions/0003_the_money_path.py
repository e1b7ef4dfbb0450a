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


def _clocks() -> None:
    """How far ahead a project's test mode is."""


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
