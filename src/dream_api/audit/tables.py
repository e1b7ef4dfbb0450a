"""Tables of the security log: streams, entries, and the fields of entries, which can be erased.

A stream is a platform's, or a person's for what concerns them alone. A person's has the platform number 0 and the
person's id; a platform's has an empty `user_id`.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index

from dream_api.core.db.columns import Hash, Number, RawText, id_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_table

streams = tenant_table(
    "audit_streams",
    id_column("user_id", primary_key=True),
    # The id of the platform or person: all digests of the stream cover it.
    id_column("name"),
    # The newest entry, after which the next one comes; who appends locks this row.
    Column("last_number", Number, nullable=False),
    Column("last_digest", Hash, nullable=False),
    # The newest entry that was cut off, and the instance's signature of that checkpoint.
    Column("cut_number", Number, nullable=False),
    Column("cut_digest", Hash, nullable=False),
    Column("cut_seal", Hash, nullable=True),
    CheckConstraint("(platform_no = 0) = (user_id = name)", name="user_id"),
    CheckConstraint("cut_number <= last_number", name="cut_number"),
    CheckConstraint("(cut_number = 0) = (cut_seal IS NULL)", name="cut_seal"),
    info={"scope": "stream", "personal": False, "keep": "for ever"},
)

entries = tenant_table(
    "audit_entries",
    id_column("user_id", primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    timestamp_column("at"),
    id_column("action"),
    id_column("actor_kind"),
    id_column("actor_id"),
    # The id of what it was done to.
    id_column("about"),
    Column("digest", Hash, nullable=False),
    ForeignKeyConstraint(["platform_no", "user_id"], ["audit_streams.platform_no", "audit_streams.user_id"]),
    CheckConstraint("actor_kind IN ('user', 'token', 'key', 'operator', 'system')", name="actor_kind"),
    Index("ix_audit_entries__at", "at"),
    Index("ix_audit_entries__actor", "platform_no", "user_id", "actor_id", "number"),
    Index("ix_audit_entries__action", "platform_no", "user_id", "action", "number"),
    info={"scope": "stream", "personal": True, "keep": "180 days"},
)

fields = tenant_table(
    "audit_fields",
    id_column("user_id", primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    id_column("field", primary_key=True),
    # Of salt and value; it stays when they are erased, because the chain covers it.
    Column("digest", Hash, nullable=False),
    Column("salt", Hash, nullable=True),
    Column("value", RawText, nullable=True),
    # When a name or an address goes; None for what stays as long as its entry, and for what went.
    timestamp_column("erase_at", nullable=True),
    CheckConstraint("(salt IS NULL) = (value IS NULL)", name="salt"),
    ForeignKeyConstraint(
        ["platform_no", "user_id", "number"],
        ["audit_entries.platform_no", "audit_entries.user_id", "audit_entries.number"],
    ),
    Index("ix_audit_fields__erase_at", "erase_at"),
    info={"scope": "stream", "personal": True, "keep": "names and addresses 30 days, the rest 180 days"},
)
