"""Tables of platforms, projects, members, invitations, test clocks and sequences."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
)

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table, tenant_unique

platforms = Table(
    "platforms",
    metadata,
    # Stands for the platform in all other tables.
    Column("no", Number, primary_key=True, autoincrement=False),
    # Stands for it outside the database.
    id_column("id", unique=True),
    id_column("name"),
    timestamp_column("created_at"),
    # Somebody asked for its deletion: nothing is metered or sold any more, and from this moment on all of it goes.
    timestamp_column("deletes_at", nullable=True),
    # All went but what the law keeps.
    timestamp_column("gone_at", nullable=True),
    info={"scope": "platform", "personal": False, "keep": "until deleted"},
)

projects = tenant_table(
    "projects",
    id_column("id", primary_key=True),
    # 1, 2, 3 … on each platform.
    Column("no", Number, nullable=False),
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
    ForeignKeyConstraint(["platform_no"], ["platforms.no"]),
    tenant_unique("no"),
    CheckConstraint("type IN ('saas', 'store')", name="type"),
    info={"scope": "platform", "personal": False, "keep": "until deleted"},
)

# Directory: the platform of a project.
project_ids = Table(
    "project_ids",
    metadata,
    id_column("id", primary_key=True),
    Column("platform_no", Number, ForeignKey("platforms.no"), nullable=False),
    info={"scope": "directory", "personal": False, "keep": "until the project is deleted"},
)

# Who works on a platform, and as what.
members = tenant_table(
    "members",
    Column("user_id", id_column("user_id").type, ForeignKey("users.id"), primary_key=True),
    id_column("role"),
    timestamp_column("joined_at"),
    ForeignKeyConstraint(["platform_no"], ["platforms.no"]),
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
    Column("platform_no", Number, ForeignKey("platforms.no"), nullable=False),
    id_column("email"),
    id_column("role"),
    # Their name, or that of their token.
    id_column("invited_by"),
    timestamp_column("created_at"),
    timestamp_column("expires_at"),
    UniqueConstraint("platform_no", "email"),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
    Index("ix_invitations__expires_at", "expires_at"),
    info={"scope": "directory", "personal": True, "keep": "until it is accepted or revoked, or 30 days after its end"},
)

# How far ahead of the world a project's test mode is; no row: not at all.
test_clocks = tenant_table(
    "test_clocks",
    id_column("project_id", primary_key=True),
    # Microseconds.
    Column("ahead", Number, nullable=False),
    timestamp_column("moved_at"),
    tenant_reference("project_id", "projects"),
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

# The last number given out in each series ("customers", "orders:prj_…:live"); that of platforms belongs to none.
sequences = tenant_table(
    "sequences",
    id_column("series", primary_key=True),
    Column("last", Number, nullable=False),
    info={"scope": "platform", "personal": False, "keep": "until the platform is deleted"},
)
