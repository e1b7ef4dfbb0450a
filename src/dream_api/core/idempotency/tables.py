"""The first committed response of each `Idempotency-Key`, for 24 hours."""

from sqlalchemy import Column, Index, SmallInteger

from dream_api.core.db.columns import Hash, RawText, id_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_table

idempotency_keys = tenant_table(
    "idempotency_keys",
    # Who asked, and what for: "<caller> POST /api/customers".
    id_column("scope", primary_key=True),
    id_column("key", primary_key=True),
    Column("fingerprint", Hash, nullable=False),
    Column("status", SmallInteger, nullable=True),
    Column("answer", RawText, nullable=True),
    timestamp_column("created_at"),
    Index("ix_idempotency_keys__created_at", "created_at"),
    info={"scope": "platform", "personal": True, "keep": "24 hours"},
)
