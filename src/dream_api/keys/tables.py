"""Keys, and the directory that finds one by its hash before any tenant is known."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table

from dream_api.core.db.columns import Digest, Number, Verbatim, key, metadata, moment

keys = Table(
    "keys",
    metadata,
    key("platform_id", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    key("mode"),
    key("kind"),
    key("name"),
    # The publishable key itself; of a secret one what may be shown: "sk_live_4f9c…a71e".
    key("shown"),
    Column("hash", Digest, nullable=False),
    # Test secret keys only: they may be revealed again.
    Column("sealed", Verbatim, nullable=True),
    key("created_by"),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    # Calls a second; none: any number.
    Column("rate_limit", Number, nullable=True),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("kind IN ('publishable', 'secret')", name="kind"),
    CheckConstraint("rate_limit > 0", name="rate_limit"),
    Index("ix_keys__project", "platform_id", "project_id", "mode"),
    info={"scope": "mode", "personal": False, "keep": "until the project is deleted"},
)

# Directory.
key_hashes = Table(
    "key_hashes",
    metadata,
    Column("hash", Digest, primary_key=True),
    key("platform_id"),
    key("key_id"),
    ForeignKeyConstraint(["platform_id", "key_id"], ["keys.platform_id", "keys.id"]),
    info={"scope": "directory", "personal": False, "keep": "until the project is deleted"},
)
