"""End users of a project and mode, with their plan and period."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint

from dream_api.core.db.columns import Key, Number, key, metadata, moment

customers = Table(
    "customers",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    # Numbered per platform from 1; 0 is the platform itself.
    Column("no", Number, nullable=False),
    key("project_id"),
    key("mode"),
    # The developer's own id of this person.
    key("user_id"),
    Column("email", Key, nullable=True),
    Column("name", Key, nullable=True),
    key("status"),
    # The name of a tier; none: the project's default tier.
    key("plan", nullable=True),
    # What the subscription has paid for, in months from its start on; none: the calendar month.
    moment("period_starts_at", nullable=True),
    moment("period_ends_at", nullable=True),
    # The period in which a subscription was left: who comes back inside it goes on where they were.
    moment("left_period_starts_at", nullable=True),
    moment("left_period_ends_at", nullable=True),
    moment("created_at"),
    moment("updated_at"),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    UniqueConstraint("platform_id", "no"),
    # No other index that a look-up by user could take: PostgreSQL plans the gate's statement while the table is small,
    # keeps that plan, and took any index for it; ten times fewer calls a second among 10,000 customers.
    UniqueConstraint("platform_id", "project_id", "mode", "user_id"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("status IN ('active', 'blocked', 'deleted')", name="status"),
    CheckConstraint("(period_starts_at IS NULL) = (period_ends_at IS NULL)", name="period"),
    CheckConstraint("(left_period_starts_at IS NULL) = (left_period_ends_at IS NULL)", name="left_period"),
    info={"scope": "mode", "personal": True, "keep": "until deleted"},
)
