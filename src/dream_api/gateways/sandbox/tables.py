"""Tables of the sandbox: what a real gateway stores on its side."""

from sqlalchemy import Column, Index, text

from dream_api.core.db.columns import RawText, id_column, timestamp_column
from dream_api.core.db.tenant_tables import tenant_reference, tenant_table

# Customers, checkouts, subscriptions, invoices, payments …: each a JSON object in Stripe's shape.
sandbox_objects = tenant_table(
    "sandbox_objects",
    id_column("account", primary_key=True),
    id_column("id", primary_key=True),
    id_column("project_id"),
    # As Stripe's `object` says: `checkout.session`, `subscription` …
    id_column("kind"),
    # The object that it belongs to: a subscription's invoices, a payment's refunds.
    id_column("parent", nullable=True),
    Column("document", RawText, nullable=False),
    # What a gateway stores and does not expose: the card on file, how many times to try again.
    Column("hidden", RawText, nullable=False),
    # When it changes by itself, in the project's own time.
    timestamp_column("due_at", nullable=True),
    timestamp_column("created_at"),
    tenant_reference("project_id", "projects"),
    Index("ix_sandbox_objects__parent", "platform_no", "account", "parent", "id"),
    Index(
        "ix_sandbox_objects__due",
        "platform_no",
        "account",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    info={"scope": "mode", "personal": True, "keep": "until the project is deleted"},
)

# Events: signed and delivered like a gateway's webhooks.
sandbox_events = tenant_table(
    "sandbox_events",
    id_column("account", primary_key=True),
    id_column("id", primary_key=True),
    id_column("project_id"),
    Column("payload", RawText, nullable=False),
    timestamp_column("created_at"),
    timestamp_column("delivered_at", nullable=True),
    tenant_reference("project_id", "projects"),
    Index("ix_sandbox_events__created_at", "created_at"),
    Index(
        "ix_sandbox_events__undelivered",
        "platform_no",
        "account",
        "id",
        sqlite_where=text("delivered_at IS NULL"),
        postgresql_where=text("delivered_at IS NULL"),
    ),
    info={"scope": "mode", "personal": True, "keep": "90 days"},
)

# What was asked with an idempotency key was done once; the answer is given again.
sandbox_requests = tenant_table(
    "sandbox_requests",
    id_column("account", primary_key=True),
    id_column("key", primary_key=True),
    Column("answer", RawText, nullable=False),
    timestamp_column("created_at"),
    Index("ix_sandbox_requests__created_at", "created_at"),
    info={"scope": "mode", "personal": False, "keep": "1 day"},
)
