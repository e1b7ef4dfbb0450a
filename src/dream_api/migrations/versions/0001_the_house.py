"""The house: platforms, keys, customers, tiers, counts, jobs and caches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes__at", "changes", ["at"])

    op.create_table(
        "idempotency_keys",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("scope", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_id", "scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys__created_at", "idempotency_keys", ["created_at"])

    op.create_table(
        "instance",
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_instance")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("platform_id", KEY, nullable=True),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("payload", DOCUMENT, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=True),
        sa.Column("leased_by", KEY, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("died_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'dead') = (died_at IS NOT NULL)", name=op.f("ck_jobs__died_at")),
        sa.CheckConstraint("(state = 'dead') = (run_at IS NULL)", name=op.f("ck_jobs__run_at")),
        sa.CheckConstraint("(state = 'running') = (leased_by IS NOT NULL)", name=op.f("ck_jobs__leased_by")),
        sa.CheckConstraint("state IN ('waiting', 'running', 'dead')", name=op.f("ck_jobs__state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs__died_at",
            ["died_at"],
            unique=False,
            sqlite_where=sa.text("died_at IS NOT NULL"),
            postgresql_where=sa.text("died_at IS NOT NULL"),
        )
        batch_op.create_index("ix_jobs__run_at", ["run_at"], unique=False)

    op.create_table(
        "meters",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("meter_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_no", sa.BigInteger(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("aggregation", KEY, nullable=False),
        sa.CheckConstraint("aggregation IN ('sum', 'distinct')", name=op.f("ck_meters__aggregation")),
        sa.PrimaryKeyConstraint("platform_no", "meter_no", name=op.f("pk_meters")),
        sa.UniqueConstraint("platform_no", "project_no", "name", name=op.f("uq_meters__platform_no_project_no_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "numbers",
        sa.Column("series", KEY, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_numbers")),
    )
    op.create_table(
        "platforms",
        sa.Column("id", KEY, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platforms")),
        sa.UniqueConstraint("no", name=op.f("uq_platforms__no")),
    )
    op.create_table(
        "schedules",
        sa.Column("name", KEY, nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
    )
    op.create_table(
        "usage_counters",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("meter_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("window", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("announced", sa.SmallInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform_no", "customer_no", "meter_no", "window", "starts_at", name=op.f("pk_usage_counters")
        ),
        postgresql_with={"fillfactor": 60},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_events",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("item", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform_no", "project_no", "mode", "customer_no", "key", "item", name=op.f("pk_usage_events")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_hours",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("meter_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period_starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform_no", "customer_no", "meter_no", "hour", "period_starts_at", name=op.f("pk_usage_hours")
        ),
        postgresql_with={"fillfactor": 60},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "projects",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("type IN ('saas', 'store')", name=op.f("ck_projects__type")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_projects__platform_id")),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_projects")),
        sa.UniqueConstraint("no", name=op.f("uq_projects__no")),
    )
    op.create_index("ix_projects__id", "projects", ["id"])

    op.create_table(
        "customers",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("email", KEY, nullable=True),
        sa.Column("name", KEY, nullable=True),
        sa.Column("status", KEY, nullable=False),
        sa.Column("plan", KEY, nullable=True),
        sa.Column("period_starts_at", sa.BigInteger(), nullable=True),
        sa.Column("period_ends_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_customers__mode")),
        sa.CheckConstraint("status IN ('active', 'blocked', 'deleted')", name=op.f("ck_customers__status")),
        sa.CheckConstraint("(period_starts_at IS NULL) = (period_ends_at IS NULL)", name=op.f("ck_customers__period")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_customers__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_customers")),
        sa.UniqueConstraint("platform_id", "no", name=op.f("uq_customers__platform_id_no")),
        sa.UniqueConstraint(
            "platform_id",
            "project_id",
            "mode",
            "user_id",
            name=op.f("uq_customers__platform_id_project_id_mode_user_id"),
        ),
    )
    op.create_table(
        "keys",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("shown", KEY, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('publishable', 'secret')", name=op.f("ck_keys__kind")),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_keys__mode")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_keys__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_keys")),
    )
    op.create_index("ix_keys__project", "keys", ["platform_id", "project_id", "mode"])

    op.create_table(
        "tiers",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_tiers__mode")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_tiers__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_tiers")),
        sa.UniqueConstraint(
            "platform_id", "project_id", "mode", "name", name=op.f("uq_tiers__platform_id_project_id_mode_name")
        ),
    )
    op.create_table(
        "key_hashes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("key_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "key_id"], ["keys.platform_id", "keys.id"], name=op.f("fk_key_hashes__platform_id_key_id")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_key_hashes")),
    )
    op.create_table(
        "tier_limits",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("tier_id", KEY, nullable=False),
        sa.Column("meter_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("window", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("max", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('hard', 'soft')", name=op.f("ck_tier_limits__kind")),
        sa.CheckConstraint(
            "\"window\" IN ('life', 'hour', 'day', 'month', 'period')", name=op.f("ck_tier_limits__window")
        ),
        sa.CheckConstraint("max >= 0", name=op.f("ck_tier_limits__max")),
        sa.ForeignKeyConstraint(
            ["platform_id", "tier_id"],
            ["tiers.platform_id", "tiers.id"],
            name=op.f("fk_tier_limits__platform_id_tier_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "tier_id", "meter_no", "window", name=op.f("pk_tier_limits")),
    )
