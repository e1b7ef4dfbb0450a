"""Keys, and the directory that finds one by its hash before any tenant is known."""

from sqlalchemy import CheckConstraint, Column, Index, Table

from dream_api.core.db.columns import Hash, Number, id_column, metadata, sealed_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table

keys = tenant_table(
    "keys",
    id_column("id", primary_key=True),
    id_column("project_id"),
    id_column("mode"),
    id_column("kind"),
    id_column("name"),
    # The publishable key itself; of a secret one what may be shown: "sk_live_4f9c…a71e".
    id_column("shown"),
    Column("hash", Hash, nullable=False),
    # Test secret keys only: they may be revealed again.
    sealed_column(
        "sealed",
        owner="id",
        what="test secret keys",
        when_lost="They work as before, but cannot be shown again.",
        nullable=True,
    ),
    id_column("created_by"),
    timestamp_column("created_at"),
    timestamp_column("expires_at", nullable=True),
    timestamp_column("revoked_at", nullable=True),
    timestamp_column("last_used_at", nullable=True),
    # Calls a second; none: any number.
    Column("rate_limit", Number, nullable=True),
    tenant_reference("project_id", "projects"),
    CheckConstraint("mode IN ('test', 'live')", name="mode"),
    CheckConstraint("kind IN ('publishable', 'secret')", name="kind"),
    CheckConstraint("rate_limit > 0", name="rate_limit"),
    Index("ix_keys__project", "platform_no", "project_id", "mode"),
    info={"scope": "mode", "personal": False, "keep": "until the project is deleted"},
)

# Directory.
key_hashes = Table(
    "key_hashes",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("platform_no", Number, nullable=False),
    id_column("key_id"),
    info={"scope": "directory", "personal": False, "keep": "until the project is deleted"},
)
