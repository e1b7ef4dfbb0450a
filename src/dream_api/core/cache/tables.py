"""Cache invalidations: one row for each cached value that a transaction changed."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from dream_api.core.db.columns import id_column, metadata, timestamp_column

changes = Table(
    "changes",
    metadata,
    Column("no", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    id_column("kind"),
    id_column("key"),
    timestamp_column("at"),
    Index("ix_changes__at", "at"),
    info={"scope": "instance", "personal": False, "keep": "1 hour"},
)
