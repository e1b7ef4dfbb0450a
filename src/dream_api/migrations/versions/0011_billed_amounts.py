"""Usage has the price that was in force when it happened, and percentages of coupons have two decimals."""

import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0011"
down_revision = "0010"

_NAMES = re.compile(r"percent_off")
_OLD = "usage_bills_before"
_KEPT = (
    *("platform_no", "subscription_id", "meter", "period_starts_at", "period_ends_at", "price_id", "customer_no"),
    *("meter_no", "quantity", "amount", "invoice", "sent_at", "created_at"),
)


def upgrade() -> None:
    segments = op.create_table(
        "usage_segments",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("meter", KEY, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period_starts_at", sa.BigInteger(), nullable=False),
        sa.Column("starts_at_quantity", sa.BigInteger(), nullable=False),
        sa.Column("price_id", KEY, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_no", "subscription_id"],
            ["subscriptions.platform_no", "subscriptions.id"],
            name=op.f("fk_usage_segments__platform_no_subscription_id"),
        ),
        sa.PrimaryKeyConstraint("platform_no", "subscription_id", "meter", "number", name=op.f("pk_usage_segments")),
    )
    _fill(segments)
    op.add_column("subscriptions", sa.Column("usage_period_starts_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE subscriptions SET usage_period_starts_at = period_starts_at")
    _number_bills()
    _change_percentages()


def _fill(segments: sa.Table) -> None:
    """What a subscription bills now began with its period; what it billed until a change of plan ends with it.

    A trial is free from now on: its prices begin with the first period that is paid for.
    """
    connection = op.get_bind()
    prices = sa.text("SELECT meter FROM prices WHERE platform_no = :platform_no AND id = :id")
    rows = connection.execute(
        sa.text(
            "SELECT platform_no, id, status, usage_prices, period_starts_at, period_ends_at, updated_at "
            "FROM subscriptions ORDER BY platform_no, id"
        )
    ).all()
    for row in rows:
        stored: dict[str, Any] = json.loads(row.usage_prices)
        lasting: list[str] = stored.get("lasting", [])
        carried: list[str] = stored.get("carried", [])
        connection.execute(
            sa.text("UPDATE subscriptions SET usage_prices = :prices WHERE platform_no = :platform_no AND id = :id"),
            {"prices": json.dumps(lasting), "platform_no": row.platform_no, "id": row.id},
        )
        if row.status == "trialing":
            continue
        if stored.get("carriedFor") != row.period_starts_at or stored.get("endsIt"):
            carried = []
        for price_id in [*lasting, *carried]:
            meter = connection.execute(prices, {"platform_no": row.platform_no, "id": price_id}).scalar()
            if meter is None:
                continue
            begun: dict[str, Any] = {
                "platform_no": row.platform_no,
                "subscription_id": row.id,
                "meter": meter,
                "number": 1,
                "period_starts_at": row.period_starts_at,
                "starts_at_quantity": 0,
                "price_id": price_id,
                "created_at": row.updated_at,
            }
            following: dict[str, Any] = begun | {"number": 2, "period_starts_at": row.period_ends_at, "price_id": None}
            op.bulk_insert(segments, [begun, following] if price_id in carried else [begun])


def _number_bills() -> None:
    """Bills of before are of whole periods."""
    if op.get_bind().dialect.name != "sqlite":
        for name in (
            "pk_usage_bills",
            "ck_usage_bills__amount",
            "fk_usage_bills__platform_no_subscription_id",
        ):
            op.execute(f"ALTER TABLE usage_bills DROP CONSTRAINT {name}")
    op.rename_table("usage_bills", _OLD)
    op.create_table(
        "usage_bills",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscription_id", KEY, nullable=False),
        sa.Column("meter", KEY, nullable=False),
        sa.Column("period_starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period_ends_at", sa.BigInteger(), nullable=False),
        sa.Column("price_id", KEY, nullable=True),
        sa.Column("customer_no", sa.BigInteger(), nullable=False),
        sa.Column("meter_no", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("invoice", KEY, nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity >= 0 AND amount >= 0", name=op.f("ck_usage_bills__amount")),
        sa.ForeignKeyConstraint(
            ["platform_no", "subscription_id"],
            ["subscriptions.platform_no", "subscriptions.id"],
            name=op.f("fk_usage_bills__platform_no_subscription_id"),
        ),
        sa.PrimaryKeyConstraint(
            "platform_no", "subscription_id", "meter", "period_starts_at", "segment", name=op.f("pk_usage_bills")
        ),
    )
    columns = ", ".join(_KEPT)
    op.execute(f"INSERT INTO usage_bills ({columns}, segment) SELECT {columns}, 1 FROM {_OLD}")  # noqa: S608
    op.drop_table(_OLD)


def _change_percentages() -> None:
    """Percentages of coupons have two decimals: they are stored in hundredths of a percent."""
    if op.get_bind().dialect.name == "sqlite":
        _recreate_coupons()
        return
    op.execute("ALTER TABLE coupons DROP CONSTRAINT ck_coupons__percent_off")
    op.execute("ALTER TABLE coupons RENAME COLUMN percent_off TO basis_points")
    op.execute("UPDATE coupons SET basis_points = basis_points * 100")
    op.execute("ALTER TABLE coupons ADD CONSTRAINT ck_coupons__basis_points CHECK (basis_points BETWEEN 1 AND 10000)")


def _recreate_coupons() -> None:
    """SQLite cannot change a check: the table is created again from its own definition, with its indexes."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT type, sql FROM sqlite_schema WHERE tbl_name = 'coupons' AND sql IS NOT NULL ORDER BY name")
    )
    found = [(row.type, _edited(row.sql)) for row in rows]
    [definition] = [sql for kind, sql in found if kind == "table"]
    connection.execute(sa.text(re.sub(r'^CREATE TABLE "?coupons"?', "CREATE TABLE new_coupons", definition)))
    columns = [row.name for row in connection.execute(sa.text("PRAGMA table_info(coupons)"))]
    names = ", ".join(f'"{_edited(name)}"' for name in columns)
    values = ", ".join("percent_off * 100" if name == "percent_off" else f'"{name}"' for name in columns)
    op.execute(f"INSERT INTO new_coupons ({names}) SELECT {values} FROM coupons")  # noqa: S608
    op.execute("DROP TABLE coupons")
    op.execute("ALTER TABLE new_coupons RENAME TO coupons")
    for kind, sql in found:
        if kind == "index":
            op.execute(sql)


def _edited(definition: str) -> str:
    return _NAMES.sub("basis_points", definition).replace("BETWEEN 1 AND 100", "BETWEEN 1 AND 10000")
