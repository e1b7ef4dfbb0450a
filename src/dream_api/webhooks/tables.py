"""Webhook events of projects."""

from sqlalchemy import CheckConstraint, Column, Index

from dream_api.core.db.columns import RawText, id_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table

events = tenant_table(
    "events",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    # Such as `usage.threshold_reached`.
    id_column("type"),
    # JSON, byte for byte as it will be signed.
    Column("data", RawText, nullable=False),
    timestamp_column("created_at"),
    tenant_reference("project_id", "projects"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    Index("ix_events__project", "platform_no", "project_id", "mode", "id"),
    Index("ix_events__type", "platform_no", "project_id", "mode", "type", "id"),
    Index("ix_events__created_at", "created_at"),
    info={"scope": "mode", "personal": True, "keep": "90 days"},
)
