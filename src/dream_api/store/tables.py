"""Tables of stock, stock holds and orders."""

from sqlalchemy import CheckConstraint, Column, Index

from dream_api.core.db.columns import Number, RawText, id_column, metadata_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table, tenant_unique

_SEVEN_YEARS = "7 years"
_MODES = "mode IN ('test', 'live')"

# A tier without a row is not counted: there is always enough of it.
stock = tenant_table(
    "stock",
    id_column("tier_id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    # What is there, also what is held for somebody who is paying at this moment.
    Column("on_hand", Number, nullable=False),
    Column("held", Number, nullable=False),
    # The number at which `stock.low` is emitted; none: never.
    Column("low_at", Number, nullable=True),
    timestamp_column("updated_at"),
    tenant_reference("tier_id", "tiers"),
    CheckConstraint(_MODES, name="mode"),
    CheckConstraint("held >= 0 AND held <= on_hand", name="held"),
    CheckConstraint("low_at >= 0", name="low_at"),
    info={"scope": "mode", "personal": False, "keep": "until the project is deleted"},
)

# What a checkout keeps from others while it can be paid.
stock_holds = tenant_table(
    "stock_holds",
    id_column("checkout_id", primary_key=True),
    id_column("tier_id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    Column("quantity", Number, nullable=False),
    id_column("state"),
    timestamp_column("updated_at"),
    tenant_reference("project_id", "projects"),
    tenant_reference("checkout_id", "checkouts"),
    tenant_reference("tier_id", "tiers"),
    CheckConstraint(_MODES, name="mode"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("state IN ('held', 'settled', 'released')", name="state"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

orders = tenant_table(
    "orders",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    # 1, 2, 3 … in each project and mode.
    Column("number", Number, nullable=False),
    id_column("checkout_id"),
    # What it was paid with; none before, and where nothing was to be paid.
    id_column("payment_id", nullable=True),
    id_column("customer_id", nullable=True),
    id_column("email"),
    id_column("status"),
    id_column("currency"),
    Column("subtotal", Number, nullable=False),
    Column("discount", Number, nullable=False),
    Column("total", Number, nullable=False),
    Column("refunded_amount", Number, nullable=False),
    # In the project's own time, all of them.
    timestamp_column("created_at"),
    # When the checkout was completed, also of an order that failed then because nothing was left.
    timestamp_column("paid_at", nullable=True),
    timestamp_column("updated_at"),
    metadata_column(),
    tenant_reference("project_id", "projects"),
    tenant_reference("checkout_id", "checkouts"),
    tenant_reference("payment_id", "payments"),
    tenant_reference("customer_id", "customers"),
    tenant_unique("checkout_id"),
    tenant_unique("project_id", "mode", "number"),
    CheckConstraint(_MODES, name="mode"),
    CheckConstraint("status IN ('processing', 'completed', 'failed', 'canceled', 'refunded')", name="status"),
    CheckConstraint("discount >= 0 AND total >= 0", name="total"),
    CheckConstraint("0 <= refunded_amount AND refunded_amount <= total", name="refunded_amount"),
    Index("ix_orders__project", "platform_no", "project_id", "mode", "id"),
    Index("ix_orders__email", "platform_no", "project_id", "mode", "email", "id"),
    Index("ix_orders__customer", "platform_no", "customer_id", "id"),
    info={"scope": "mode", "personal": True, "keep": _SEVEN_YEARS},
)

order_lines = tenant_table(
    "order_lines",
    id_column("order_id", primary_key=True),
    # 1, 2, 3 … in each order.
    Column("line", Number, primary_key=True, autoincrement=False),
    id_column("tier_id"),
    id_column("price_id"),
    # As the product was called when it was ordered.
    id_column("name"),
    Column("quantity", Number, nullable=False),
    # What each of them costs; none where that depends on how many there are.
    Column("unit_amount", Number, nullable=True),
    # The amount of the line, before the order's discount.
    Column("amount", Number, nullable=False),
    Column("refunded_quantity", Number, nullable=False),
    Column("restocked_quantity", Number, nullable=False),
    tenant_reference("order_id", "orders"),
    tenant_reference("tier_id", "tiers"),
    tenant_reference("price_id", "prices"),
    CheckConstraint("quantity > 0 AND amount >= 0", name="quantity"),
    CheckConstraint("0 <= refunded_quantity AND refunded_quantity <= quantity", name="refunded_quantity"),
    CheckConstraint("0 <= restocked_quantity AND restocked_quantity <= quantity", name="restocked_quantity"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)

# What happened to an order: only ever added to. `at` leads the key so that PostgreSQL can part it by month.
order_events = tenant_table(
    "order_events",
    Column("at", Number, primary_key=True, autoincrement=False),
    id_column("id", primary_key=True),
    id_column("order_id"),
    id_column("type"),
    # JSON.
    Column("data", RawText, nullable=False),
    tenant_reference("order_id", "orders"),
    Index("ix_order_events__order", "platform_no", "order_id", "id"),
    info={"scope": "mode", "personal": False, "keep": _SEVEN_YEARS},
)
