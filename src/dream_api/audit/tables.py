"""Tables of the security log: streams, entries, and the fields of entries, which can be erased."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Table

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata, timestamp_column

streams = Table(
    "audit_books",
    metadata,
    # A platform's id, or a person's for what concerns them alone.
    id_column("book", primary_key=True),
    # The newest entry, after which the next one comes; who appends locks this row.
    Column("last_number", Number, nullable=False),
    Column("last_digest", Hash, nullable=False),
    # The newest entry that was cut off, and the instance's signature of that checkpoint.
    Column("cut_number", Number, nullable=False),
    Column("cut_digest", Hash, nullable=False),
    Column("cut_seal", Hash, nullable=True),
    CheckConstraint("cut_number <= last_number", name="cut_number"),
    CheckConstraint("(cut_number = 0) = (cut_seal IS NULL)", name="cut_seal"),
    info={"scope": "book", "personal": False, "keep": "for ever"},
)

entries = Table(
    "audit_entries",
    metadata,
    Column("book", streams.c.book.type, ForeignKey("audit_books.book"), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    timestamp_column("at"),
    id_column("action"),
    id_column("actor_kind"),
    id_column("actor_id"),
    # The id of what it was done to.
    id_column("about"),
    Column("digest", Hash, nullable=False),
    CheckConstraint("actor_kind IN ('user', 'token', 'key', 'operator', 'system')", name="actor_kind"),
    Index("ix_audit_entries__at", "at"),
    Index("ix_audit_entries__actor", "book", "actor_id", "number"),
    Index("ix_audit_entries__action", "book", "action", "number"),
    info={"scope": "book", "personal": True, "keep": "180 days"},
)

fields = Table(
    "audit_fields",
    metadata,
    id_column("book", primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    id_column("field", primary_key=True),
    # Of salt and value; it stays when they are erased, because the chain covers it.
    Column("digest", Hash, nullable=False),
    Column("salt", Hash, nullable=True),
    Column("value", RawText, nullable=True),
    # When a name or an address goes; None for what stays as long as its entry, and for what went.
    timestamp_column("erase_at", nullable=True),
    CheckConstraint("(salt IS NULL) = (value IS NULL)", name="salt"),
    ForeignKeyConstraint(["book", "number"], ["audit_entries.book", "audit_entries.number"]),
    Index("ix_audit_fields__erase_at", "erase_at"),
    info={"scope": "book", "personal": True, "keep": "names and addresses 30 days, the rest 180 days"},
)
