"""The email outbox: emails and their delivery state."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table

from dream_api.core.db.columns import RawText, id_column, metadata, timestamp_column

mails = Table(
    "mails",
    metadata,
    id_column("id", primary_key=True),
    id_column("to"),
    Column("subject", RawText, nullable=False),
    # Both parts are emptied once the email was sent: links in it are credentials.
    Column("text", RawText, nullable=False),
    Column("html", RawText, nullable=False),
    id_column("state"),
    Column("attempts", Integer, nullable=False),
    Column("last_error", RawText, nullable=True),
    timestamp_column("created_at"),
    timestamp_column("sent_at", nullable=True),
    CheckConstraint("state IN ('waiting', 'sent', 'kept', 'failed')", name="state"),
    CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
    Index("ix_mails__created_at", "created_at"),
    info={"scope": "instance", "personal": True, "keep": "30 days"},
)
