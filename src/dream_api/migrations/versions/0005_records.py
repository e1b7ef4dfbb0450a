"""Records: letters, the security log, assets."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _mails()
    _security_log()
    _assets()


def _mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", KEY, nullable=False),
        sa.Column("to", KEY, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'kept', 'failed')", name=op.f("ck_mails__state")),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_mails__sent_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails__created_at", "mails", ["created_at"])


def _security_log() -> None:
    op.create_table(
        "audit_books",
        sa.Column("book", KEY, nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("last_digest", sa.LargeBinary(), nullable=False),
        sa.Column("cut_number", sa.BigInteger(), nullable=False),
        sa.Column("cut_digest", sa.LargeBinary(), nullable=False),
        sa.Column("cut_seal", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("cut_number <= last_number", name=op.f("ck_audit_books__cut_number")),
        sa.CheckConstraint("(cut_number = 0) = (cut_seal IS NULL)", name=op.f("ck_audit_books__cut_seal")),
        sa.PrimaryKeyConstraint("book", name=op.f("pk_audit_books")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("book", KEY, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", KEY, nullable=False),
        sa.Column("actor_kind", KEY, nullable=False),
        sa.Column("actor_id", KEY, nullable=False),
        sa.Column("about", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('user', 'token', 'key', 'operator', 'system')", name=op.f("ck_audit_entries__actor_kind")
        ),
        sa.PrimaryKeyConstraint("book", "number", name=op.f("pk_audit_entries")),
        sa.ForeignKeyConstraint(["book"], ["audit_books.book"], name=op.f("fk_audit_entries__book")),
    )
    op.create_index("ix_audit_entries__at", "audit_entries", ["at"])
    op.create_index("ix_audit_entries__actor", "audit_entries", ["book", "actor_id", "number"])
    op.create_index("ix_audit_entries__action", "audit_entries", ["book", "action", "number"])
    op.create_table(
        "audit_fields",
        sa.Column("book", KEY, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("field", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("erase_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(salt IS NULL) = (value IS NULL)", name=op.f("ck_audit_fields__salt")),
        sa.PrimaryKeyConstraint("book", "number", "field", name=op.f("pk_audit_fields")),
        sa.ForeignKeyConstraint(
            ["book", "number"], ["audit_entries.book", "audit_entries.number"], name=op.f("fk_audit_fields__book")
        ),
    )
    op.create_index("ix_audit_fields__erase_at", "audit_fields", ["erase_at"])


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("key", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_assets__mode")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_assets")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"], ["projects.platform_id", "projects.id"], name=op.f("fk_assets__platform_id")
        ),
    )
    op.create_index("ix_assets__platform", "assets", ["platform_id", "project_id", "mode", "key"])
