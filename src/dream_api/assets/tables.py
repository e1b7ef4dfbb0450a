"""Rows of files; their bytes are in the object store, under their keys."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata, timestamp_column

# Directory: anyone who has the key is served, before any tenant is known.
assets = Table(
    "assets",
    metadata,
    id_column("key", primary_key=True),
    Column("platform_no", Number, ForeignKey("platforms.no"), nullable=False),
    id_column("project_id"),
    id_column("mode"),
    # SHA-256 of the bytes.
    Column("digest", Hash, nullable=False),
    id_column("content_type"),
    # As the file was called where it came from.
    Column("name", RawText, nullable=False),
    Column("size", Number, nullable=False),
    id_column("created_by"),
    timestamp_column("created_at"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    Index("ix_assets__platform", "platform_no", "project_id", "mode", "key"),
    info={"scope": "directory", "personal": True, "keep": "until deleted"},
)
