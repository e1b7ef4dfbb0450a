"""Tenants and what they sell."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Table

from dream_api.core.db.tables import Number, Verbatim, key, metadata, moment

platforms = Table(
    "platforms",
    metadata,
    key("id", primary_key=True),
    # The small number that stands for the platform in the tables of the metered call.
    Column("no", Number, nullable=False, unique=True),
    key("name"),
    moment("created_at"),
    info={"scope": "platform", "personal": False, "keep": "until deleted"},
)

projects = Table(
    "projects",
    metadata,
    Column("platform_id", platforms.c.id.type, ForeignKey("platforms.id"), primary_key=True),
    key("id", primary_key=True),
    Column("no", Number, nullable=False, unique=True),
    key("name"),
    key("type"),
    # JSON: where its people may come from and be sent to.
    Column("origins", Verbatim, nullable=False, server_default="[]"),
    moment("created_at"),
    CheckConstraint("type IN ('saas', 'store')", name="type"),
    Index("ix_projects__id", "id"),
    info={"scope": "platform", "personal": False, "keep": "until deleted"},
)

# Who works on a platform, and as what.
members = Table(
    "members",
    metadata,
    Column("platform_id", platforms.c.id.type, ForeignKey("platforms.id"), primary_key=True),
    Column("user_id", key("user_id").type, ForeignKey("users.id"), primary_key=True),
    key("role"),
    moment("joined_at"),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
    Index("ix_members__user", "user_id"),
    info={"scope": "platform", "personal": True, "keep": "until they leave"},
)

# How far ahead of the world a project's test mode is; no row: not at all.
test_clocks = Table(
    "test_clocks",
    metadata,
    key("platform_id", primary_key=True),
    key("project_id", primary_key=True),
    # Microseconds.
    Column("ahead", Number, nullable=False),
    moment("moved_at"),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    CheckConstraint("ahead > 0", name="ahead"),
    info={"scope": "project", "personal": False, "keep": "until the project is deleted"},
)

# Directory: facts of the instance itself, such as which project is home.
instance = Table(
    "instance",
    metadata,
    key("name", primary_key=True),
    key("value"),
    info={"scope": "instance", "personal": False, "keep": "for ever"},
)

# The last number given out in each series ("platforms", "customers:7").
numbers = Table(
    "numbers",
    metadata,
    key("series", primary_key=True),
    Column("last", BigInteger, nullable=False),
    info={"scope": "instance", "personal": False, "keep": "for ever"},
)
