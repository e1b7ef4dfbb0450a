"""Teams: invitations; platforms and projects that are to go; what members may give back."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("platforms", sa.Column("deletes_at", sa.BigInteger(), nullable=True))
    op.add_column("platforms", sa.Column("gone_at", sa.BigInteger(), nullable=True))
    op.add_column("projects", sa.Column("refund_limit_amount", sa.BigInteger(), nullable=True))
    op.add_column("projects", sa.Column("refund_limit_currency", KEY, nullable=True))
    op.add_column("projects", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
    op.add_column("projects", sa.Column("purged_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "invitations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("email", KEY, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("invited_by", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name=op.f("ck_invitations__role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("hash", name=op.f("uq_invitations__hash")),
        sa.UniqueConstraint("platform_id", "email", name=op.f("uq_invitations__platform_id_email")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_invitations__platform_id")),
    )
    op.create_index("ix_invitations__expires_at", "invitations", ["expires_at"])
