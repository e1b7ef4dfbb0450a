"""Personal tokens, found by their hash before any tenant is known."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table

from dream_api.core.db.tables import Digest, key, metadata, moment

# Directory.
personal_tokens = Table(
    "personal_tokens",
    metadata,
    key("id", primary_key=True),
    Column("hash", Digest, nullable=False, unique=True),
    Column("platform_id", key("platform_id").type, ForeignKey("platforms.id"), nullable=False),
    key("role"),
    key("name"),
    # "dpt_4f9c…a71e".
    key("shown"),
    key("created_by"),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
    Index("ix_personal_tokens__platform", "platform_id", "id"),
    # A name may be a person's: "Ada's laptop".
    info={"scope": "directory", "personal": True, "keep": "until the platform is deleted"},
)
