"""End users of a project and mode, with their plan and period."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint

from dream_api.core.db.columns import ByteOrderedText, Number, id_column, metadata, metadata_column, timestamp_column

customers = Table(
    "customers",
    metadata,
    id_column("platform_id", primary_key=True),
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
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    UniqueConstraint("platform_id", "no"),
    # No other index that a look-up by user could take: PostgreSQL plans metering's statement while the table is small,
    # keeps that plan, and took any index for it; ten times fewer calls a second among 10,000 customers.
    UniqueConstraint("platform_id", "project_id", "mode", "user_id"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("status IN ('active', 'blocked', 'deleted')", name="status"),
    CheckConstraint("(period_starts_at IS NULL) = (period_ends_at IS NULL)", name="period"),
    CheckConstraint("(left_period_starts_at IS NULL) = (left_period_ends_at IS NULL)", name="left_period"),
    info={"scope": "mode", "personal": True, "keep": "until deleted"},
)
