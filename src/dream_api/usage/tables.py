"""Meters and what was counted. Integers only: the metered call writes here."""

from sqlalchemy import CheckConstraint, Column, Index, text

from dream_api.core.db.columns import (
    ByteOrderedText,
    Hash,
    Number,
    RawText,
    Small,
    id_column,
    timestamp_column,
)
from dream_api.core.db.tenant_tables import tenant_table, tenant_unique

# Rows that change with every call stay in their page, and no index changes with them.
_UPDATE_FILLFACTOR = {"fillfactor": 60}
_KEPT = "until the project is deleted"

meters = tenant_table(
    "meters",
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    Column("project_no", Number, nullable=False),
    id_column("name"),
    id_column("aggregation"),
    tenant_unique("project_no", "name"),
    CheckConstraint("aggregation IN ('sum', 'distinct')", name="aggregation"),
    info={"scope": "platform", "personal": False, "keep": _KEPT},
    sqlite_with_rowid=False,
)

usage_counters = tenant_table(
    "usage_counters",
    # 0 is the platform itself, whose meters are those of the project home.
    Column("customer_no", Number, primary_key=True, autoincrement=False),
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    # See `windows.py`: 0 life, 1 hour, 2 day, 3 month, 4 period.
    Column("window", Small, primary_key=True, autoincrement=False),
    Column("starts_at", Number, primary_key=True, autoincrement=False),
    Column("count", Number, nullable=False),
    # The highest percentage of a limit that was announced.
    Column("announced", Small, nullable=False),
    # In the life row only: what is reserved, which weighs on every window.
    Column("held", Number, nullable=False),
    # In the life row only: of which windows there are counters, a bit each; every call updates all of them.
    Column("windows", Small, nullable=False, server_default="0"),
    # Of a billing period that was closed: up to when, and nothing is added to it any more. In the life row: the latest
    # of these moments. 0: never.
    Column("closed_until", Number, nullable=False, server_default="0"),
    info={"scope": "platform", "personal": False, "keep": "with the customer"},
    sqlite_with_rowid=False,
    postgresql_with=_UPDATE_FILLFACTOR,
)

usage_hours = tenant_table(
    "usage_hours",
    Column("customer_no", Number, primary_key=True, autoincrement=False),
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    Column("hour", Number, primary_key=True, autoincrement=False),
    Column("period_starts_at", Number, primary_key=True, autoincrement=False),
    # What was counted, less what was corrected; of a distinct meter, the subjects that were new to its longest window.
    Column("total", Number, nullable=False),
    # Admitted calls, without corrections.
    Column("calls", Number, nullable=False),
    # What is newest of a platform; no column that changes with a call stands in it.
    Index("ix_usage_hours__hour", "platform_no", "hour"),
    info={"scope": "platform", "personal": False, "keep": "with the customer"},
    sqlite_with_rowid=False,
    postgresql_with=_UPDATE_FILLFACTOR,
)

# What all customers of a project and mode used in an hour that is over: see `rolling.py`.
usage_totals = tenant_table(
    "usage_totals",
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    Column("mode", Small, primary_key=True, autoincrement=False),
    Column("hour", Number, primary_key=True, autoincrement=False),
    Column("total", Number, nullable=False),
    Column("calls", Number, nullable=False),
    info={"scope": "platform", "personal": False, "keep": _KEPT},
    sqlite_with_rowid=False,
)

# Up to which moment there are such sums of a platform.
usage_rolled = tenant_table(
    "usage_rolled",
    Column("until", Number, nullable=False),
    info={"scope": "platform", "personal": False, "keep": _KEPT},
    sqlite_with_rowid=False,
)

# Hours in which something was counted after they were finished: their sums are not used until they are computed again.
usage_late = tenant_table(
    "usage_late",
    Column("hour", Number, primary_key=True, autoincrement=False),
    # Nobody who counts waits for another: each has rows of its own.
    id_column("id", primary_key=True),
    info={"scope": "platform", "personal": False, "keep": "until the sums are computed again"},
    sqlite_with_rowid=False,
)

usage_events = tenant_table(
    "usage_events",
    Column("project_no", Number, primary_key=True, autoincrement=False),
    Column("mode", Small, primary_key=True, autoincrement=False),
    # Whose key it is: 0 is the developer's server.
    Column("customer_no", Number, primary_key=True, autoincrement=False),
    Column("key", ByteOrderedText, primary_key=True),
    Column("item", Number, primary_key=True, autoincrement=False),
    Column("fingerprint", Hash, nullable=False),
    # The numbers of the first answer, as JSON.
    Column("answer", RawText, nullable=False),
    info={"scope": "platform", "personal": False, "keep": "with the customer"},
    sqlite_with_rowid=False,
)

# The subjects that a distinct meter has counted in a window; from when a limit names that window.
usage_subjects = tenant_table(
    "usage_subjects",
    Column("customer_no", Number, primary_key=True, autoincrement=False),
    Column("meter_no", Number, primary_key=True, autoincrement=False),
    Column("window", Small, primary_key=True, autoincrement=False),
    Column("starts_at", Number, primary_key=True, autoincrement=False),
    id_column("subject", primary_key=True),
    info={"scope": "platform", "personal": True, "keep": "with the customer"},
    sqlite_with_rowid=False,
)

reservations = tenant_table(
    "reservations",
    id_column("id", primary_key=True),
    Column("project_no", Number, nullable=False),
    Column("mode", Small, nullable=False),
    Column("customer_no", Number, nullable=False),
    Column("meter_no", Number, nullable=False),
    # The plan that X-User-Plan named; none: the customer's own.
    id_column("plan", nullable=True),
    Column("quantity", Number, nullable=False),
    # Where it also holds one request of the platform's level: the meter of home.
    Column("level_meter_no", Number, nullable=True),
    id_column("state"),
    # What was counted in the end.
    Column("settled", Number, nullable=True),
    timestamp_column("created_at"),
    timestamp_column("expires_at"),
    CheckConstraint("state IN ('open', 'settled', 'expired')", name="state"),
    CheckConstraint("(state = 'settled') = (settled IS NOT NULL)", name="settled"),
    CheckConstraint("quantity > 0 AND settled BETWEEN 0 AND quantity", name="quantity"),
    Index(
        "ix_reservations__open",
        "expires_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "ix_reservations__ended",
        "expires_at",
        sqlite_where=text("state <> 'open'"),
        postgresql_where=text("state <> 'open'"),
    ),
    info={"scope": "platform", "personal": False, "keep": "30 days after its end"},
    sqlite_with_rowid=False,
)
