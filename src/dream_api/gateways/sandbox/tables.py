"""Tables of the sandbox: what a real gateway stores on its side."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, text

from dream_api.core.db.columns import RawText, id_column, metadata, timestamp_column

# Customers, checkouts, subscriptions, invoices, payments …: each a JSON object in Stripe's shape.
sandbox_objects = Table(
    "sandbox_objects",
    metadata,
    id_column("platform_id", primary_key=True),
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
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    Index("ix_sandbox_objects__parent", "platform_id", "account", "parent", "id"),
    Index(
        "ix_sandbox_objects__due",
        "platform_id",
        "account",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    info={"scope": "mode", "personal": True, "keep": "until the project is deleted"},
)

# Events: signed and delivered like a gateway's webhooks.
sandbox_events = Table(
    "sandbox_events",
    metadata,
    id_column("platform_id", primary_key=True),
    id_column("account", primary_key=True),
    id_column("id", primary_key=True),
    id_column("project_id"),
    Column("payload", RawText, nullable=False),
    timestamp_column("created_at"),
    timestamp_column("delivered_at", nullable=True),
    ForeignKeyConstraint(["platform_id", "project_id"], ["projects.platform_id", "projects.id"]),
    Index("ix_sandbox_events__created_at", "created_at"),
    Index(
        "ix_sandbox_events__undelivered",
        "platform_id",
        "account",
        "id",
        sqlite_where=text("delivered_at IS NULL"),
        postgresql_where=text("delivered_at IS NULL"),
    ),
    info={"scope": "mode", "personal": True, "keep": "90 days"},
)

# What was asked with an idempotency key was done once; the answer is given again.
sandbox_requests = Table(
    "sandbox_requests",
    metadata,
    id_column("platform_id", primary_key=True),
    id_column("account", primary_key=True),
    id_column("key", primary_key=True),
    Column("answer", RawText, nullable=False),
    timestamp_column("created_at"),
    Index("ix_sandbox_requests__created_at", "created_at"),
    info={"scope": "mode", "personal": False, "keep": "1 day"},
)
