"""Tables of jobs and schedules."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, text

from dream_api.core.db.columns import Document, RawText, id_column, metadata, timestamp_column

_IS_DEAD = text("died_at IS NOT NULL")

jobs = Table(
    "jobs",
    metadata,
    id_column("id", primary_key=True),
    Column("platform_no", BigInteger, nullable=True),
    id_column("kind"),
    Column("payload", Document, nullable=False),
    id_column("state"),
    Column("attempts", Integer, nullable=False),
    # When a worker may take the job: of a running one when its lease runs out, of a dead one never. So one
    # index finds what is due, be it new, rescheduled, or left behind by a worker that crashed.
    timestamp_column("run_at", nullable=True),
    id_column("leased_by", nullable=True),
    Column("last_error", RawText, nullable=True),
    timestamp_column("created_at"),
    timestamp_column("died_at", nullable=True),
    CheckConstraint("state IN ('waiting', 'running', 'dead')", name="state"),
    CheckConstraint("(state = 'dead') = (run_at IS NULL)", name="run_at"),
    CheckConstraint("(state = 'dead') = (died_at IS NOT NULL)", name="died_at"),
    CheckConstraint("(state = 'running') = (leased_by IS NOT NULL)", name="leased_by"),
    Index("ix_jobs__run_at", "run_at"),
    Index("ix_jobs__died_at", "died_at", sqlite_where=_IS_DEAD, postgresql_where=_IS_DEAD),
    # A payload may hold the address that an email goes to.
    info={"scope": "instance", "personal": True, "keep": "until done; dead ones 90 days"},
)

schedules = Table(
    "schedules",
    metadata,
    id_column("name", primary_key=True),
    timestamp_column("next_at"),
    info={"scope": "instance", "personal": False, "keep": "for ever"},
)
