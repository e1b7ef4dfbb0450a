"""Tiers with the limits they set and the prices they ask, and coupons."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    false,
    true,
)

from dream_api.core.db.columns import Number, RawText, Small, id_column, metadata_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table, tenant_unique

_KEPT = "until the project is deleted"

tiers = tenant_table(
    "tiers",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    # The stable id by which plans name a tier.
    id_column("name"),
    id_column("display_name"),
    # A level's number; none for other tiers.
    Column("number", Small, nullable=True),
    Column("is_default", Boolean, nullable=False),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    Column("description", RawText, nullable=True),
    # JSON: a list of short texts, or an object of the developer's own.
    Column("features", RawText, nullable=False, server_default="[]"),
    Column("is_popular", Boolean, nullable=False, server_default=false()),
    # Whether new buyers are shown it.
    Column("is_visible", Boolean, nullable=False, server_default=true()),
    # What the developer says of it, whatever is in stock.
    Column("is_sold_out", Boolean, nullable=False, server_default=false()),
    Column("trial_days", Small, nullable=False, server_default="0"),
    Column("image_url", RawText, nullable=True),
    # Kept by those who have it, and by nobody new.
    timestamp_column("archived_at", nullable=True),
    metadata_column(),
    tenant_reference("project_id", "projects"),
    tenant_unique("project_id", "mode", "name"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("trial_days >= 0", name="trial_days"),
    Index("ix_tiers__project", "platform_no", "project_id", "mode", "id"),
    info={"scope": "mode", "personal": False, "keep": _KEPT},
)

tier_limits = tenant_table(
    "tier_limits",
    id_column("tier_id", primary_key=True),
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    id_column("window", primary_key=True),
    id_column("kind"),
    # None: counted without an upper bound.
    Column("max", Number, nullable=True),
    tenant_reference("tier_id", "tiers"),
    CheckConstraint("kind IN ('hard', 'soft')", name="kind"),
    CheckConstraint("\"window\" IN ('life', 'hour', 'day', 'month', 'period')", name="window"),
    CheckConstraint("max >= 0", name="max"),
    info={"scope": "mode", "personal": False, "keep": _KEPT},
)

# A price never changes: another one takes its place, and it is archived.
prices = tenant_table(
    "prices",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("tier_id"),
    id_column("currency"),
    id_column("type"),
    id_column("billing_scheme"),
    # In minor units; none: the amounts are in `tiers`.
    Column("unit_amount", Number, nullable=True),
    # How many units one unit_amount buys.
    Column("per", Number, nullable=False),
    # JSON: a list of {upTo, unitAmount, flatAmount}.
    Column("tiers", RawText, nullable=True),
    id_column("interval", nullable=True),
    Column("interval_count", Small, nullable=False),
    # What a usage price is asked for.
    id_column("meter", nullable=True),
    timestamp_column("archived_at", nullable=True),
    timestamp_column("created_at"),
    metadata_column(),
    tenant_reference("tier_id", "tiers"),
    tenant_reference("project_id", "projects"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("type IN ('recurring', 'one_time', 'usage')", name="type"),
    CheckConstraint("billing_scheme IN ('flat_rate', 'per_unit', 'tiered', 'volume')", name="billing_scheme"),
    CheckConstraint("(unit_amount IS NULL) = (tiers IS NOT NULL)", name="amounts"),
    CheckConstraint("unit_amount >= 0 AND per >= 1", name="unit_amount"),
    CheckConstraint("\"interval\" IN ('day', 'week', 'month', 'year')", name="interval"),
    CheckConstraint("(type = 'one_time') = (\"interval\" IS NULL)", name="once"),
    CheckConstraint("interval_count >= 1", name="interval_count"),
    CheckConstraint("(type = 'usage') = (meter IS NOT NULL)", name="meter"),
    Index("ix_prices__tier", "platform_no", "tier_id", "id"),
    info={"scope": "mode", "personal": False, "keep": _KEPT},
)

coupons = tenant_table(
    "coupons",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    # What buyers type, in capital letters.
    id_column("code"),
    # Hundredths of a percent.
    Column("basis_points", Small, nullable=True),
    Column("amount_off", Number, nullable=True),
    id_column("currency", nullable=True),
    id_column("duration"),
    Column("duration_months", Small, nullable=True),
    # None: any number of times.
    Column("max_redemptions", Number, nullable=True),
    Column("redeemed", Number, nullable=False),
    timestamp_column("expires_at", nullable=True),
    timestamp_column("archived_at", nullable=True),
    timestamp_column("created_at"),
    tenant_reference("project_id", "projects"),
    tenant_unique("project_id", "mode", "code"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("(basis_points IS NULL) = (amount_off IS NOT NULL)", name="off"),
    CheckConstraint("basis_points BETWEEN 1 AND 10000", name="basis_points"),
    CheckConstraint("amount_off > 0", name="amount_off"),
    CheckConstraint("(amount_off IS NULL) = (currency IS NULL)", name="currency"),
    CheckConstraint("duration IN ('once', 'repeating', 'forever')", name="duration"),
    CheckConstraint("(duration = 'repeating') = (duration_months IS NOT NULL)", name="duration_months"),
    CheckConstraint("redeemed >= 0 AND (max_redemptions IS NULL OR redeemed <= max_redemptions)", name="redeemed"),
    info={"scope": "mode", "personal": False, "keep": _KEPT},
)
