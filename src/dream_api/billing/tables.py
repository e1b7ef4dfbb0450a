"""What was bought, as the gateways tell it: every row that mirrors a gateway's object carries that object's id."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, text

from dream_api.core.db.columns import Digest, Number, Verbatim, key, metadata, moment

_SEVEN_YEARS = "7 years"


def _of_project() -> tuple[ForeignKeyConstraint, CheckConstraint]:
    return (
        ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
        CheckConstraint("mode IN ('test', 'live')", name="mode"),
    )


# Everything that a gateway told, once.
gateway_events = Table(
    "gateway_events",
    metadata,
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("type"),
    # The object that is read and written down; none where the event says nothing to us.
    key("object_kind", nullable=True),
    key("object_id", nullable=True),
    # Byte for byte as it was signed.
    Column("payload", Verbatim, nullable=False),
    moment("received_at"),
    moment("applied_at", nullable=True),
    *_of_project(),
    Index("ix_gateway_events__received_at", "received_at"),
    info={"scope": "mode", "personal": True, "keep": "90 days"},
)

# One row for each object of a gateway that was read: who began to read it last may write last.
gateway_objects = Table(
    "gateway_objects",
    metadata,
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    key("id", primary_key=True),
    key("kind"),
    Column("ticket", Number, nullable=False),
    Column("written", Number, nullable=False),
    CheckConstraint("0 <= written AND written <= ticket", name="ticket"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

gateway_customers = Table(
    "gateway_customers",
    metadata,
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    # The gateway's own id of the customer.
    key("id", primary_key=True),
    key("customer_id"),
    moment("created_at"),
    ForeignKeyConstraint(["platform_id", "customer_id"], ["customers.platform_id", "customers.id"]),
    UniqueConstraint("platform_id", "account", "customer_id"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

checkouts = Table(
    "checkouts",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("purpose"),
    # The customer who buys a subscription; a cart may be bought by anybody.
    key("customer_id", nullable=True),
    key("email", nullable=True),
    key("currency"),
    # What the lines cost, before the coupon.
    Column("subtotal", Number, nullable=False),
    Column("total", Number, nullable=True),
    key("coupon_id", nullable=True),
    # JSON: price, name, quantity of each line, and the days of trial.
    Column("wanted", Verbatim, nullable=False),
    key("success_url"),
    key("cancel_url"),
    # Of the request's Idempotency-Key, so that its twin finds the same checkout; and of its body.
    Column("request", Digest, nullable=True),
    Column("fingerprint", Digest, nullable=True),
    key("account"),
    key("gateway_id", nullable=True),
    key("url", nullable=True),
    key("status"),
    moment("created_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    *_of_project(),
    UniqueConstraint("platform_id", "request"),
    UniqueConstraint("platform_id", "account", "gateway_id"),
    CheckConstraint("purpose IN ('subscription', 'cart')", name="purpose"),
    CheckConstraint("status IN ('opening', 'open', 'complete', 'expired')", name="status"),
    Index("ix_checkouts__project", "platform_id", "project_id", "mode", "id"),
    Index(
        "ix_checkouts__unpaid",
        "expires_at",
        sqlite_where=text("status IN ('opening', 'open')"),
        postgresql_where=text("status IN ('opening', 'open')"),
    ),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

subscriptions = Table(
    "subscriptions",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("customer_id"),
    key("user_id"),
    # The tier, by its name; it was the tier's price when it was bought.
    key("plan"),
    key("price_id"),
    key("product_id"),
    # JSON: the ids of the prices by which its usage is billed, and of those that end with a period: see `billed.py`.
    Column("usage_prices", Verbatim, nullable=False),
    # What a full period costs without usage, and by the month.
    Column("amount", Number, nullable=False),
    Column("monthly_amount", Number, nullable=False),
    key("currency"),
    Column("quantity", Number, nullable=False),
    key("status"),
    # Whether the customer is on the plan because of it: while trialing, active, or past due for at most 14 days.
    Column("holds", Boolean, nullable=False),
    moment("started_at"),
    moment("ended_at", nullable=True),
    moment("period_starts_at"),
    moment("period_ends_at"),
    moment("trial_ends_at", nullable=True),
    # When the plan ends although the gateway still hopes to be paid.
    moment("lapses_at", nullable=True),
    moment("cancel_at", nullable=True),
    moment("canceled_at", nullable=True),
    key("cancel_reason", nullable=True),
    key("account"),
    key("gateway"),
    key("gateway_id"),
    key("gateway_customer"),
    moment("created_at"),
    moment("updated_at"),
    *_of_project(),
    ForeignKeyConstraint(["platform_id", "customer_id"], ["customers.platform_id", "customers.id"]),
    ForeignKeyConstraint(["platform_id", "price_id"], ["prices.platform_id", "prices.id"]),
    UniqueConstraint("platform_id", "account", "gateway_id"),
    CheckConstraint(
        "status IN ('free', 'trialing', 'active', 'past_due', 'paused', 'canceled')",
        name="status",
    ),
    Index("ix_subscriptions__project", "platform_id", "project_id", "mode", "id"),
    Index("ix_subscriptions__customer", "platform_id", "customer_id"),
    Index(
        "ix_subscriptions__lapsing",
        "lapses_at",
        sqlite_where=text("holds AND lapses_at IS NOT NULL"),
        postgresql_where=text("holds AND lapses_at IS NOT NULL"),
    ),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

invoices = Table(
    "invoices",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("customer_id", nullable=True),
    key("subscription_id", nullable=True),
    key("number", nullable=True),
    key("status"),
    key("reason"),
    key("currency"),
    Column("subtotal", Number, nullable=False),
    Column("discount", Number, nullable=False),
    Column("total", Number, nullable=False),
    Column("amount_due", Number, nullable=False),
    Column("amount_paid", Number, nullable=False),
    moment("period_starts_at"),
    moment("period_ends_at"),
    moment("paid_at", nullable=True),
    Column("attempts", Number, nullable=False),
    moment("next_attempt_at", nullable=True),
    # JSON: description, amount, quantity, price of each.
    Column("lines", Verbatim, nullable=False),
    key("account"),
    key("gateway_id"),
    # When the gateway made it, in the project's own time.
    moment("created_at"),
    moment("updated_at"),
    *_of_project(),
    UniqueConstraint("platform_id", "account", "gateway_id"),
    CheckConstraint("status IN ('draft', 'open', 'paid', 'void', 'uncollectible')", name="status"),
    Index("ix_invoices__customer", "platform_id", "customer_id", "id"),
    Index("ix_invoices__project", "platform_id", "project_id", "mode", "id"),
    Index("ix_invoices__subscription", "platform_id", "subscription_id"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

payments = Table(
    "payments",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("customer_id", nullable=True),
    key("invoice", nullable=True),
    key("checkout_id", nullable=True),
    key("status"),
    key("currency"),
    Column("amount", Number, nullable=False),
    Column("refunded", Number, nullable=False),
    key("method", nullable=True),
    key("brand", nullable=True),
    key("last4", nullable=True),
    key("failure", nullable=True),
    key("account"),
    key("gateway_id"),
    # In the project's own time: a day's revenue is what was paid on it.
    moment("created_at"),
    moment("updated_at"),
    *_of_project(),
    UniqueConstraint("platform_id", "account", "gateway_id"),
    CheckConstraint("status IN ('pending', 'succeeded', 'failed', 'canceled')", name="status"),
    CheckConstraint("0 <= refunded AND refunded <= amount", name="refunded"),
    Index("ix_payments__customer", "platform_id", "customer_id", "id"),
    Index("ix_payments__project", "platform_id", "project_id", "mode", "id"),
    Index("ix_payments__time", "platform_id", "project_id", "mode", "created_at"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

refunds = Table(
    "refunds",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("payment_id"),
    key("status"),
    key("currency"),
    Column("amount", Number, nullable=False),
    key("reason", nullable=True),
    # JSON that whoever asked for it gets back when the money has gone, such as the lines of an order.
    Column("memo", Verbatim, nullable=True),
    Column("request", Digest, nullable=True),
    Column("fingerprint", Digest, nullable=True),
    key("account"),
    key("gateway_id", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    *_of_project(),
    ForeignKeyConstraint(["platform_id", "payment_id"], ["payments.platform_id", "payments.id"]),
    UniqueConstraint("platform_id", "request"),
    UniqueConstraint("platform_id", "account", "gateway_id"),
    CheckConstraint("status IN ('asked', 'pending', 'succeeded', 'failed')", name="status"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_refunds__payment", "platform_id", "payment_id"),
    Index("ix_refunds__time", "platform_id", "project_id", "mode", "created_at"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

disputes = Table(
    "disputes",
    metadata,
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    # The gateway's own id.
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("payment_id"),
    key("status"),
    key("reason"),
    key("currency"),
    Column("amount", Number, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    *_of_project(),
    ForeignKeyConstraint(["platform_id", "payment_id"], ["payments.platform_id", "payments.id"]),
    CheckConstraint("status IN ('open', 'won', 'lost')", name="status"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

# Usage that was billed: a meter's count in one period of a subscription, once.
usage_bills = Table(
    "usage_bills",
    metadata,
    key("platform_id", primary_key=True),
    key("subscription_id", primary_key=True),
    key("meter", primary_key=True),
    Column("period_starts_at", Number, primary_key=True, autoincrement=False),
    moment("period_ends_at"),
    key("price_id"),
    Column("customer_no", Number, nullable=False),
    Column("meter_no", Number, nullable=False),
    Column("quantity", Number, nullable=False),
    Column("amount", Number, nullable=False),
    key("invoice"),
    # When the gateway had the line.
    moment("sent_at", nullable=True),
    moment("created_at"),
    ForeignKeyConstraint(["platform_id", "subscription_id"], ["subscriptions.platform_id", "subscriptions.id"]),
    CheckConstraint("quantity >= 0 AND amount >= 0", name="amount"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)
