"""Tables of developers, their sessions and personal tokens, which are found before any tenant is known."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata, timestamp_column

# Directory.
personal_tokens = Table(
    "personal_tokens",
    metadata,
    id_column("id", primary_key=True),
    Column("hash", Hash, nullable=False, unique=True),
    Column("platform_no", Number, ForeignKey("platforms.no"), nullable=False),
    # Whose it is, and does no more than they may; None: the operator made it at the command line.
    Column("user_id", id_column("user_id").type, ForeignKey("users.id"), nullable=True),
    id_column("role"),
    id_column("name"),
    # "dpt_4f9c…a71e".
    id_column("shown"),
    id_column("created_by"),
    timestamp_column("created_at"),
    timestamp_column("expires_at", nullable=True),
    timestamp_column("revoked_at", nullable=True),
    timestamp_column("last_used_at", nullable=True),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
    Index("ix_personal_tokens__platform", "platform_no", "id"),
    Index("ix_personal_tokens__user", "user_id", "id"),
    # A name may be a person's: "Ada's laptop".
    info={"scope": "directory", "personal": True, "keep": "until the platform is deleted"},
)

# Directory.
users = Table(
    "users",
    metadata,
    id_column("id", primary_key=True),
    # In lower case, as it is compared.
    Column("email", id_column("email").type, nullable=False, unique=True),
    Column("name", RawText, nullable=False),
    # None: they come by somebody else's sign-in only.
    Column("password_hash", RawText, nullable=True),
    timestamp_column("verified_at", nullable=True),
    timestamp_column("created_at"),
    info={"scope": "directory", "personal": True, "keep": "until deleted"},
)

# Directory.
sessions = Table(
    "sessions",
    metadata,
    id_column("id", primary_key=True),
    Column("hash", Hash, nullable=False, unique=True),
    Column("user_id", id_column("user_id").type, ForeignKey("users.id"), nullable=False),
    timestamp_column("created_at"),
    timestamp_column("last_used_at"),
    timestamp_column("expires_at"),
    # From where: the address, and what the browser says of itself.
    Column("address", RawText, nullable=False),
    Column("agent", RawText, nullable=False),
    Index("ix_sessions__user", "user_id", "id"),
    Index("ix_sessions__expires_at", "expires_at"),
    info={"scope": "directory", "personal": True, "keep": "until it ends"},
)

# Directory: who comes by another provider's sign-in, as that provider knows them.
linked_sign_ins = Table(
    "linked_sign_ins",
    metadata,
    id_column("issuer", primary_key=True),
    id_column("subject", primary_key=True),
    Column("user_id", id_column("user_id").type, ForeignKey("users.id"), nullable=False),
    timestamp_column("created_at"),
    Index("ix_linked_sign_ins__user", "user_id"),
    info={"scope": "directory", "personal": True, "keep": "until deleted"},
)
