"""Tiers and the limits they set."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint

from dream_api.core.db.tables import Number, Small, key, metadata, moment

tiers = Table(
    "tiers",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    # The stable id by which plans name a tier.
    key("name"),
    key("display_name"),
    # A level's number; none for other tiers.
    Column("number", Small, nullable=True),
    Column("is_default", Boolean, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    UniqueConstraint("platform_id", "project_id", "mode", "name"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    info={"scope": "mode", "personal": False, "keep": "until the project is deleted"},
)

tier_limits = Table(
    "tier_limits",
    metadata,
    key("platform_id", primary_key=True),
    key("tier_id", primary_key=True),
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    key("window", primary_key=True),
    key("kind"),
    # None: counted without an upper bound.
    Column("max", Number, nullable=True),
    ForeignKeyConstraint(["platform_id", "tier_id"], ["tiers.platform_id", "tiers.id"]),
    CheckConstraint("kind IN ('hard', 'soft')", name="kind"),
    CheckConstraint("\"window\" IN ('life', 'hour', 'day', 'month', 'period')", name="window"),
    CheckConstraint("max >= 0", name="max"),
    info={"scope": "mode", "personal": False, "keep": "until the project is deleted"},
)
