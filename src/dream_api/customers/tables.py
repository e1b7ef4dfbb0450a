"""End users of a project and mode, with their plan and period."""

from sqlalchemy import CheckConstraint, Column

from dream_api.core.db.columns import ByteOrderedText, Number, id_column, metadata_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table, tenant_unique

customers = tenant_table(
    "customers",
    id_column("id", primary_key=True),
    # Numbered per platform from 1; 0 is the platform itself.
    Column("no", Number, nullable=False),
    id_column("project_id"),
    id_column("mode"),
    # The developer's own id of this person.
    id_column("user_id"),
    Column("email", ByteOrderedText, nullable=True),
    Column("name", ByteOrderedText, nullable=True),
    id_column("status"),
    # The name of a tier; none: the project's default tier.
    id_column("plan", nullable=True),
    # What the subscription has paid for, in months from its start on; none: the calendar month.
    timestamp_column("period_starts_at", nullable=True),
    timestamp_column("period_ends_at", nullable=True),
    # The period in which a subscription was left: who comes back inside it goes on where they were.
    timestamp_column("left_period_starts_at", nullable=True),
    timestamp_column("left_period_ends_at", nullable=True),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    metadata_column(),
    tenant_reference("project_id", "projects"),
    tenant_unique("no"),
    # No other index that a look-up by user could take: PostgreSQL plans metering's statement while the table is small,
    # keeps that plan, and took any index for it; ten times fewer calls a second among 10,000 customers.
    tenant_unique("project_id", "mode", "user_id"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("status IN ('active', 'blocked', 'deleted')", name="status"),
    CheckConstraint("(period_starts_at IS NULL) = (period_ends_at IS NULL)", name="period"),
    CheckConstraint("(left_period_starts_at IS NULL) = (left_period_ends_at IS NULL)", name="left_period"),
    info={"scope": "mode", "personal": True, "keep": "until deleted"},
)
