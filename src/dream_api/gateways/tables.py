"""Accounts at payment gateways."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, UniqueConstraint

from dream_api.core.db.columns import Number, id_column, metadata, timestamp_column

# Directory: finds the tenant of a gateway's event.
gateway_accounts = Table(
    "gateway_accounts",
    metadata,
    id_column("id", primary_key=True),
    id_column("gateway"),
    Column("platform_no", Number, ForeignKey("platforms.no"), nullable=False),
    id_column("project_id"),
    id_column("mode"),
    timestamp_column("created_at"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    UniqueConstraint("platform_no", "project_id", "mode", "gateway"),
    CheckConstraint("gateway IN ('sandbox', 'stripe')", name="gateway"),
    info={"scope": "directory", "personal": False, "keep": "until the project is deleted"},
)
