"""People: users, their sessions, members of platforms."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", KEY, nullable=False),
        sa.Column("email", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users__email")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("hash", name=op.f("uq_sessions__hash")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions__user_id")),
    )
    op.create_index("ix_sessions__user", "sessions", ["user_id", "id"])
    op.create_index("ix_sessions__expires_at", "sessions", ["expires_at"])
    op.create_table(
        "members",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name=op.f("ck_members__role")),
        sa.PrimaryKeyConstraint("platform_id", "user_id", name=op.f("pk_members")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_members__platform_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members__user_id")),
    )
    op.create_index("ix_members__user", "members", ["user_id"])
    with op.batch_alter_table("personal_tokens") as tokens:
        tokens.add_column(sa.Column("user_id", KEY, nullable=True))
        tokens.create_foreign_key(op.f("fk_personal_tokens__user_id"), "users", ["user_id"], ["id"])
    op.create_index("ix_personal_tokens__user", "personal_tokens", ["user_id", "id"])
