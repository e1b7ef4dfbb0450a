"""Letters that were posted, and what became of them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table

from dream_api.core.db.columns import Verbatim, key, metadata, moment

mails = Table(
    "mails",
    metadata,
    key("id", primary_key=True),
    key("to"),
    Column("subject", Verbatim, nullable=False),
    # Both parts are empty once the letter was sent: the links in it open doors.
    Column("text", Verbatim, nullable=False),
    Column("html", Verbatim, nullable=False),
    key("state"),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Verbatim, nullable=True),
    moment("created_at"),
    moment("sent_at", nullable=True),
    CheckConstraint("state IN ('waiting', 'sent', 'kept', 'failed')", name="state"),
    CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
    Index("ix_mails__created_at", "created_at"),
    info={"scope": "instance", "personal": True, "keep": "30 days"},
)
