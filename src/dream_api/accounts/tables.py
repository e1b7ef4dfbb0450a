"""Developers, and the sessions and personal tokens by which they come, found before any tenant is known."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table

from dream_api.core.db.columns import Digest, Verbatim, key, metadata, moment

# Directory.
personal_tokens = Table(
    "personal_tokens",
    metadata,
    key("id", primary_key=True),
    Column("hash", Digest, nullable=False, unique=True),
    Column("platform_id", key("platform_id").type, ForeignKey("platforms.id"), nullable=False),
    # Whose it is, and does no more than they may; None: the operator made it at the command line.
    Column("user_id", key("user_id").type, ForeignKey("users.id"), nullable=True),
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
    Index("ix_personal_tokens__user", "user_id", "id"),
    # A name may be a person's: "Ada's laptop".
    info={"scope": "directory", "personal": True, "keep": "until the platform is deleted"},
)

# Directory.
users = Table(
    "users",
    metadata,
    key("id", primary_key=True),
    # In lower case, as it is compared.
    Column("email", key("email").type, nullable=False, unique=True),
    Column("name", Verbatim, nullable=False),
    # None: they come by somebody else's sign-in only.
    Column("password_hash", Verbatim, nullable=True),
    moment("verified_at", nullable=True),
    moment("created_at"),
    info={"scope": "directory", "personal": True, "keep": "until deleted"},
)

# Directory.
sessions = Table(
    "sessions",
    metadata,
    key("id", primary_key=True),
    Column("hash", Digest, nullable=False, unique=True),
    Column("user_id", key("user_id").type, ForeignKey("users.id"), nullable=False),
    moment("created_at"),
    moment("last_used_at"),
    moment("expires_at"),
    # From where: the address, and what the browser says of itself.
    Column("address", Verbatim, nullable=False),
    Column("agent", Verbatim, nullable=False),
    Index("ix_sessions__user", "user_id", "id"),
    Index("ix_sessions__expires_at", "expires_at"),
    info={"scope": "directory", "personal": True, "keep": "until it ends"},
)

# Directory: who comes by another provider's sign-in, as that provider knows them.
linked_sign_ins = Table(
    "linked_sign_ins",
    metadata,
    key("issuer", primary_key=True),
    key("subject", primary_key=True),
    Column("user_id", key("user_id").type, ForeignKey("users.id"), nullable=False),
    moment("created_at"),
    Index("ix_linked_sign_ins__user", "user_id"),
    info={"scope": "directory", "personal": True, "keep": "until deleted"},
)
