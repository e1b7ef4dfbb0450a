"""What happened in projects, as their developers are told of it."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table

from dream_api.core.db.columns import Verbatim, key, metadata, moment

events = Table(
    "events",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    # Such as `usage.threshold_reached`.
    key("type"),
    # JSON, byte for byte as it will be signed.
    Column("data", Verbatim, nullable=False),
    moment("created_at"),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    Index("ix_events__project", "platform_id", "project_id", "mode", "id"),
    Index("ix_events__type", "platform_id", "project_id", "mode", "type", "id"),
    Index("ix_events__created_at", "created_at"),
    info={"scope": "mode", "personal": True, "keep": "90 days"},
)
