"""Tables of billing: every row that mirrors a gateway's object has that object's id."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, Index, text

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table, tenant_unique

_SEVEN_YEARS = "7 years"


def _of_project() -> tuple[ForeignKeyConstraint, CheckConstraint]:
    return (
        tenant_reference("project_id", "projects"),
        CheckConstraint("mode IN ('test', 'live')", name="mode"),
    )


# Received gateway events, each once.
gateway_events = tenant_table(
    "gateway_events",
    id_column("account", primary_key=True),
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("type"),
    # The object that is read and written down; none where the event says nothing to us.
    id_column("object_kind", nullable=True),
    id_column("object_id", nullable=True),
    # Byte for byte as it was signed.
    Column("payload", RawText, nullable=False),
    timestamp_column("received_at"),
    timestamp_column("applied_at", nullable=True),
    *_of_project(),
    Index("ix_gateway_events__received_at", "received_at"),
    info={"scope": "mode", "personal": True, "keep": "90 days"},
)

# One row for each object of a gateway that was read: who began to read it last may write last.
gateway_objects = tenant_table(
    "gateway_objects",
    id_column("account", primary_key=True),
    id_column("id", primary_key=True),
    id_column("kind"),
    Column("ticket", Number, nullable=False),
    Column("written", Number, nullable=False),
    CheckConstraint("0 <= written AND written <= ticket", name="ticket"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

gateway_customers = tenant_table(
    "gateway_customers",
    id_column("account", primary_key=True),
    # The id of the customer at the gateway.
    id_column("id", primary_key=True),
    id_column("customer_id"),
    timestamp_column("created_at"),
    tenant_reference("customer_id", "customers"),
    tenant_unique("account", "customer_id"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

checkouts = tenant_table(
    "checkouts",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("purpose"),
    # The customer who buys a subscription; a cart may be bought by anybody.
    id_column("customer_id", nullable=True),
    id_column("email", nullable=True),
    id_column("currency"),
    # What the lines cost, before the coupon.
    Column("subtotal", Number, nullable=False),
    Column("total", Number, nullable=True),
    id_column("coupon_id", nullable=True),
    # JSON: price, name, quantity of each line, and the days of trial.
    Column("wanted", RawText, nullable=False),
    id_column("success_url"),
    id_column("cancel_url"),
    # Of the request's Idempotency-Key, so that its twin finds the same checkout; and of its body.
    Column("request", Hash, nullable=True),
    Column("fingerprint", Hash, nullable=True),
    id_column("account"),
    id_column("gateway_id", nullable=True),
    id_column("url", nullable=True),
    id_column("status"),
    timestamp_column("created_at"),
    timestamp_column("expires_at"),
    timestamp_column("ended_at", nullable=True),
    metadata_column(),
    *_of_project(),
    tenant_unique("request"),
    tenant_unique("account", "gateway_id"),
    CheckConstraint("purpose IN ('subscription', 'cart')", name="purpose"),
    CheckConstraint("status IN ('opening', 'open', 'complete', 'expired')", name="status"),
    Index("ix_checkouts__project", "platform_no", "project_id", "mode", "id"),
    Index(
        "ix_checkouts__unpaid",
        "expires_at",
        sqlite_where=text("status IN ('opening', 'open')"),
        postgresql_where=text("status IN ('opening', 'open')"),
    ),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

subscriptions = tenant_table(
    "subscriptions",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("customer_id"),
    id_column("user_id"),
    # The tier, by its name; it was the tier's price when it was bought.
    id_column("plan"),
    id_column("price_id"),
    id_column("product_id"),
    # JSON: the ids of the prices by which its usage is billed now; `usage_segments` has those of before.
    Column("usage_prices", RawText, nullable=False),
    # What a full period costs without usage; and by the month, less a coupon that lasts for ever.
    Column("amount", Number, nullable=False),
    Column("monthly_amount", Number, nullable=False),
    id_column("currency"),
    Column("quantity", Number, nullable=False),
    id_column("status"),
    # Whether the customer is on the plan because of it: while trialing, active, or past due for at most 14 days.
    Column("holds", Boolean, nullable=False),
    timestamp_column("started_at"),
    timestamp_column("ended_at", nullable=True),
    timestamp_column("period_starts_at"),
    timestamp_column("period_ends_at"),
    timestamp_column("trial_ends_at", nullable=True),
    # When the plan ends although the gateway still hopes to be paid.
    timestamp_column("lapses_at", nullable=True),
    timestamp_column("cancel_at", nullable=True),
    timestamp_column("canceled_at", nullable=True),
    id_column("cancel_reason", nullable=True),
    id_column("account"),
    id_column("gateway"),
    id_column("gateway_id"),
    id_column("gateway_customer"),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    metadata_column(),
    # Of what is billed by usage, which may be billed more often than the plan.
    timestamp_column("usage_period_starts_at", nullable=True),
    *_of_project(),
    tenant_reference("customer_id", "customers"),
    tenant_reference("price_id", "prices"),
    tenant_unique("account", "gateway_id"),
    CheckConstraint(
        "status IN ('free', 'trialing', 'active', 'past_due', 'paused', 'canceled')",
        name="status",
    ),
    Index("ix_subscriptions__project", "platform_no", "project_id", "mode", "id"),
    Index("ix_subscriptions__customer", "platform_no", "customer_id"),
    Index(
        "ix_subscriptions__lapsing",
        "lapses_at",
        sqlite_where=text("holds AND lapses_at IS NOT NULL"),
        postgresql_where=text("holds AND lapses_at IS NOT NULL"),
    ),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

invoices = tenant_table(
    "invoices",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("customer_id", nullable=True),
    id_column("subscription_id", nullable=True),
    id_column("number", nullable=True),
    id_column("status"),
    id_column("reason"),
    id_column("currency"),
    Column("subtotal", Number, nullable=False),
    Column("discount", Number, nullable=False),
    Column("total", Number, nullable=False),
    Column("amount_due", Number, nullable=False),
    Column("amount_paid", Number, nullable=False),
    timestamp_column("period_starts_at"),
    timestamp_column("period_ends_at"),
    timestamp_column("paid_at", nullable=True),
    Column("attempts", Number, nullable=False),
    timestamp_column("next_attempt_at", nullable=True),
    # JSON: description, amount, quantity, price of each.
    Column("lines", RawText, nullable=False),
    id_column("account"),
    id_column("gateway_id"),
    # When the gateway made it, in the project's own time.
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    metadata_column(),
    *_of_project(),
    tenant_unique("account", "gateway_id"),
    CheckConstraint("status IN ('draft', 'open', 'paid', 'void', 'uncollectible')", name="status"),
    Index("ix_invoices__customer", "platform_no", "customer_id", "id"),
    Index("ix_invoices__project", "platform_no", "project_id", "mode", "id"),
    Index("ix_invoices__subscription", "platform_no", "subscription_id"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

payments = tenant_table(
    "payments",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("customer_id", nullable=True),
    id_column("invoice", nullable=True),
    id_column("checkout_id", nullable=True),
    id_column("status"),
    id_column("currency"),
    Column("amount", Number, nullable=False),
    Column("refunded", Number, nullable=False),
    id_column("method", nullable=True),
    id_column("brand", nullable=True),
    id_column("last4", nullable=True),
    id_column("failure", nullable=True),
    id_column("account"),
    id_column("gateway_id"),
    # In the project's own time: a day's revenue is what was paid on it.
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    metadata_column(),
    *_of_project(),
    tenant_unique("account", "gateway_id"),
    CheckConstraint("status IN ('pending', 'succeeded', 'failed', 'canceled')", name="status"),
    CheckConstraint("0 <= refunded AND refunded <= amount", name="refunded"),
    Index("ix_payments__customer", "platform_no", "customer_id", "id"),
    Index("ix_payments__project", "platform_no", "project_id", "mode", "id"),
    Index("ix_payments__time", "platform_no", "project_id", "mode", "created_at"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

refunds = tenant_table(
    "refunds",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("payment_id"),
    id_column("status"),
    id_column("currency"),
    Column("amount", Number, nullable=False),
    id_column("reason", nullable=True),
    # JSON of the caller, returned with the refund's events, such as the lines of an order.
    Column("memo", RawText, nullable=True),
    Column("request", Hash, nullable=True),
    Column("fingerprint", Hash, nullable=True),
    id_column("account"),
    id_column("gateway_id", nullable=True),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    metadata_column(),
    *_of_project(),
    tenant_reference("payment_id", "payments"),
    tenant_unique("request"),
    tenant_unique("account", "gateway_id"),
    CheckConstraint("status IN ('asked', 'pending', 'succeeded', 'failed')", name="status"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_refunds__payment", "platform_no", "payment_id"),
    Index("ix_refunds__time", "platform_no", "project_id", "mode", "created_at"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

disputes = tenant_table(
    "disputes",
    id_column("account", primary_key=True),
    # The id of the dispute at the gateway.
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("payment_id"),
    id_column("status"),
    id_column("reason"),
    id_column("currency"),
    Column("amount", Number, nullable=False),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    *_of_project(),
    tenant_reference("payment_id", "payments"),
    CheckConstraint("status IN ('open', 'won', 'lost')", name="status"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

# From when on the usage of a meter has which price: see `usage_segments.py`.
usage_segments = tenant_table(
    "usage_segments",
    id_column("subscription_id", primary_key=True),
    id_column("meter", primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    timestamp_column("period_starts_at"),
    # How much the meter had counted in that period when the segment began.
    Column("starts_at_quantity", Number, nullable=False),
    # None: it costs nothing.
    id_column("price_id", nullable=True),
    timestamp_column("created_at"),
    tenant_reference("subscription_id", "subscriptions"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

# Usage that was billed: what a meter counted in one segment of a subscription's period, once.
usage_bills = tenant_table(
    "usage_bills",
    id_column("subscription_id", primary_key=True),
    id_column("meter", primary_key=True),
    Column("period_starts_at", Number, primary_key=True, autoincrement=False),
    # The number in `usage_segments`; 0: before the first one.
    Column("segment", Number, primary_key=True, autoincrement=False),
    timestamp_column("period_ends_at"),
    # None: it costs nothing.
    id_column("price_id", nullable=True),
    Column("customer_no", Number, nullable=False),
    Column("meter_no", Number, nullable=False),
    Column("quantity", Number, nullable=False),
    # None: more than one payment can be; it is kept, and not invoiced.
    Column("amount", Number, nullable=True),
    id_column("invoice"),
    # When the gateway had the line.
    timestamp_column("sent_at", nullable=True),
    timestamp_column("created_at"),
    tenant_reference("subscription_id", "subscriptions"),
    CheckConstraint("quantity >= 0 AND amount >= 0", name="amount"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)
