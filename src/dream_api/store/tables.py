"""What is in stock."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table

from dream_api.core.db.tables import Number, key, metadata, moment

# A tier without a row is not counted: there is always enough of it.
stock = Table(
    "stock",
    metadata,
    key("platform_id", primary_key=True),
    key("tier_id", primary_key=True),
    key("project_id"),
    key("mode"),
    # What is there, also what is held for somebody who is paying at this moment.
    Column("on_hand", Number, nullable=False),
    Column("held", Number, nullable=False),
    # The number at which the developer is told; none: never.
    Column("low_at", Number, nullable=True),
    moment("updated_at"),
    ForeignKeyConstraint(["platform_id", "tier_id"], ["tiers.platform_id", "tiers.id"]),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("held >= 0 AND held <= on_hand", name="held"),
    CheckConstraint("low_at >= 0", name="low_at"),
    info={"scope": "mode", "personal": False, "keep": "until the project is deleted"},
)
