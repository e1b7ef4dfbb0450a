"""Tables of platforms, projects, members, invitations, test clocks and sequences."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
)

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata, timestamp_column

platforms = Table(
    "platforms",
    metadata,
    id_column("id", primary_key=True),
    # The small number that stands for the platform in the tables of the metered call.
    Column("no", Number, nullable=False, unique=True),
    id_column("name"),
    timestamp_column("created_at"),
    # Somebody asked for its deletion: nothing is metered or sold any more, and from this moment on all of it goes.
    timestamp_column("deletes_at", nullable=True),
    # All went but what the law keeps.
    timestamp_column("gone_at", nullable=True),
    info={"scope": "platform", "personal": False, "keep": "until deleted"},
)

projects = Table(
    "projects",
    metadata,
    Column("platform_id", platforms.c.id.type, ForeignKey("platforms.id"), primary_key=True),
    id_column("id", primary_key=True),
    Column("no", Number, nullable=False, unique=True),
    id_column("name"),
    id_column("type"),
    # JSON: where its people may come from and be sent to.
    Column("origins", RawText, nullable=False, server_default="[]"),
    # How much of a payment in this currency a member may give back; none: nothing.
    Column("refund_limit_amount", Number, nullable=True),
    id_column("refund_limit_currency", nullable=True),
    timestamp_column("created_at"),
    # From then on it is there for nobody; a job takes what was in it, and says when that was done.
    timestamp_column("deleted_at", nullable=True),
    timestamp_column("purged_at", nullable=True),
    CheckConstraint("type IN ('saas', 'store')", name="type"),
    Index("ix_projects__id", "id"),
    info={"scope": "platform", "personal": False, "keep": "until deleted"},
)

# Who works on a platform, and as what.
members = Table(
    "members",
    metadata,
    Column("platform_id", platforms.c.id.type, ForeignKey("platforms.id"), primary_key=True),
    Column("user_id", id_column("user_id").type, ForeignKey("users.id"), primary_key=True),
    id_column("role"),
    timestamp_column("joined_at"),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
    Index("ix_members__user", "user_id"),
    info={"scope": "platform", "personal": True, "keep": "until they leave"},
)

# Directory: who was asked to work on a platform, and has not answered yet.
invitations = Table(
    "invitations",
    metadata,
    id_column("id", primary_key=True),
    Column("hash", Hash, nullable=False, unique=True),
    Column("platform_id", platforms.c.id.type, ForeignKey("platforms.id"), nullable=False),
    id_column("email"),
    id_column("role"),
    # Their name, or that of their token.
    id_column("invited_by"),
    timestamp_column("created_at"),
    timestamp_column("expires_at"),
    UniqueConstraint("platform_id", "email"),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
    Index("ix_invitations__expires_at", "expires_at"),
    info={"scope": "directory", "personal": True, "keep": "until it is accepted or revoked, or 30 days after its end"},
)

# How far ahead of the world a project's test mode is; no row: not at all.
test_clocks = Table(
    "test_clocks",
    metadata,
    id_column("platform_id", primary_key=True),
    id_column("project_id", primary_key=True),
    # Microseconds.
    Column("ahead", Number, nullable=False),
    timestamp_column("moved_at"),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    CheckConstraint("ahead > 0", name="ahead"),
    info={"scope": "project", "personal": False, "keep": "until the project is deleted"},
)

# Directory: facts of the instance itself: which project is home, the fingerprint of its key, its first project.
instance = Table(
    "instance",
    metadata,
    id_column("name", primary_key=True),
    id_column("value"),
    info={"scope": "instance", "personal": False, "keep": "for ever"},
)

# The last number given out in each series ("platforms", "customers:7").
numbers = Table(
    "numbers",
    metadata,
    id_column("series", primary_key=True),
    Column("last", BigInteger, nullable=False),
    info={"scope": "instance", "personal": False, "keep": "for ever"},
)
