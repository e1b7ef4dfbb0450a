"""The whole gate: subjects, reservations, events, left periods, rate limits of keys."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "usage_subjects",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("meter_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("window", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.PrimaryKeyConstraint(
            "platform_no", "customer_no", "meter_no", "window", "starts_at", "subject", name=op.f("pk_usage_subjects")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reservations",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_no", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.SmallInteger(), nullable=False),
        sa.Column("customer_no", sa.BigInteger(), nullable=False),
        sa.Column("meter_no", sa.BigInteger(), nullable=False),
        sa.Column("plan", KEY, nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("level_meter_no", sa.BigInteger(), nullable=True),
        sa.Column("state", KEY, nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'settled', 'expired')", name=op.f("ck_reservations__state")),
        sa.CheckConstraint("(state = 'settled') = (settled IS NOT NULL)", name=op.f("ck_reservations__settled")),
        sa.CheckConstraint("quantity > 0 AND settled BETWEEN 0 AND quantity", name=op.f("ck_reservations__quantity")),
        sa.PrimaryKeyConstraint("platform_no", "id", name=op.f("pk_reservations")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_reservations__open",
        "reservations",
        ["expires_at"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_reservations__ended",
        "reservations",
        ["expires_at"],
        sqlite_where=sa.text("state <> 'open'"),
        postgresql_where=sa.text("state <> 'open'"),
    )
    op.create_table(
        "events",
        sa.Column("platform_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("mode", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_events__mode")),
        sa.ForeignKeyConstraint(
            ["platform_id", "project_id"],
            ["projects.platform_id", "projects.id"],
            name=op.f("fk_events__platform_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("platform_id", "id", name=op.f("pk_events")),
    )
    op.create_index("ix_events__project", "events", ["platform_id", "project_id", "mode", "id"])
    op.create_index("ix_events__created_at", "events", ["created_at"])
    with op.batch_alter_table("customers") as customers:
        customers.add_column(sa.Column("left_period_starts_at", sa.BigInteger(), nullable=True))
        customers.add_column(sa.Column("left_period_ends_at", sa.BigInteger(), nullable=True))
        customers.create_check_constraint(
            op.f("ck_customers__left_period"), "(left_period_starts_at IS NULL) = (left_period_ends_at IS NULL)"
        )
    with op.batch_alter_table("keys") as keys:
        keys.add_column(sa.Column("rate_limit", sa.BigInteger(), nullable=True))
        keys.create_check_constraint(op.f("ck_keys__rate_limit"), "rate_limit > 0")
    op.add_column("usage_counters", sa.Column("windows", sa.SmallInteger(), server_default="0", nullable=False))
    for statement in (_PERIODS_WERE_COUNTED, *_LIVE_CALLS_COUNT_FOR_PLATFORMS, _NO_EMPTY_LIMITS_OF_LEVELS):
        op.execute(statement)


# Until now there were counters of periods (bit 4), and no others.
_PERIODS_WERE_COUNTED = 'UPDATE usage_counters SET windows = 16 WHERE "window" = 0'

# From now on live calls count against the platform's level (customer 0, on the meter of the operator's project home):
# so do those that were made before.
_LIVE_CALLS_COUNT_FOR_PLATFORMS = (
    """
    INSERT INTO usage_hours (platform_no, customer_no, meter_no, hour, period_starts_at, total, calls)
    SELECT usage_hours.platform_no, 0, meters.meter_no, usage_hours.hour, usage_hours.period_starts_at,
           SUM(usage_hours.calls), SUM(usage_hours.calls)
    FROM usage_hours
    JOIN platforms ON platforms.no = usage_hours.platform_no
    JOIN customers ON customers.platform_id = platforms.id AND customers.no = usage_hours.customer_no
    JOIN instance ON instance.name = 'home_project_id'
    JOIN projects ON projects.id = instance.value
    JOIN meters ON meters.project_no = projects.no AND meters.name = 'requests'
    WHERE customers.mode = 'live' AND platforms.id <> projects.platform_id
    GROUP BY usage_hours.platform_no, meters.meter_no, usage_hours.hour, usage_hours.period_starts_at
    """,
    """
    INSERT INTO usage_counters (platform_no, customer_no, meter_no, "window", starts_at, count, announced, held)
    SELECT platform_no, 0, meter_no, 0, 0, SUM(total), 0, 0 FROM usage_hours WHERE customer_no = 0
    GROUP BY platform_no, meter_no
    """,
)

# A level's limits are its own: not one of the period that limits nothing.
_NO_EMPTY_LIMITS_OF_LEVELS = """
    DELETE FROM tier_limits WHERE max IS NULL AND "window" = 'period'
    AND tier_id IN (SELECT id FROM tiers WHERE number IS NOT NULL)
"""
