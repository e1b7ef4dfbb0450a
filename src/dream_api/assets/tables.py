"""What is known of each file; its bytes lie in the object store, under its key."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table

from dream_api.core.db.columns import Digest, Number, Verbatim, key, metadata, moment

# Directory: whoever has the key is served, before any tenant is known.
assets = Table(
    "assets",
    metadata,
    key("key", primary_key=True),
    key("platform_id"),
    key("project_id"),
    key("mode"),
    # SHA-256 of the bytes.
    Column("digest", Digest, nullable=False),
    key("content_type"),
    # As the file was called where it came from.
    Column("name", Verbatim, nullable=False),
    Column("size", Number, nullable=False),
    key("created_by"),
    moment("created_at"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    Index("ix_assets__platform", "platform_id", "project_id", "mode", "key"),
    info={"scope": "directory", "personal": True, "keep": "until deleted"},
)
