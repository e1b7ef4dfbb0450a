"""The first committed answer of each `Idempotency-Key`, for 24 hours."""

from sqlalchemy import Column, Index, SmallInteger, Table

from dream_api.core.db.columns import Digest, Verbatim, key, metadata, moment

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    key("platform_id", primary_key=True),
    # Who asked, and what for: "<caller> POST /api/customers".
    key("scope", primary_key=True),
    key("key", primary_key=True),
    Column("fingerprint", Digest, nullable=False),
    Column("status", SmallInteger, nullable=True),
    Column("answer", Verbatim, nullable=True),
    moment("created_at"),
    Index("ix_idempotency_keys__created_at", "created_at"),
    info={"scope": "platform", "personal": True, "keep": "24 hours"},
)
