"""The sandbox's own books: what a real gateway would keep on its side."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, text

from dream_api.core.db.columns import Verbatim, key, metadata, moment

# Customers, checkouts, subscriptions, invoices, payments …: each a JSON object in Stripe's shape.
sandbox_objects = Table(
    "sandbox_objects",
    metadata,
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    # As Stripe's `object` says: `checkout.session`, `subscription` …
    key("kind"),
    # The object that it belongs to: a subscription's invoices, a payment's refunds.
    key("parent", nullable=True),
    Column("document", Verbatim, nullable=False),
    # What a gateway knows and does not tell: the card on file, how many times to try again.
    Column("hidden", Verbatim, nullable=False),
    # When it changes by itself, in the project's own time.
    moment("due_at", nullable=True),
    moment("created_at"),
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

# What is told of it: signed and delivered like a gateway's webhooks.
sandbox_events = Table(
    "sandbox_events",
    metadata,
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    key("id", primary_key=True),
    key("project_id"),
    Column("payload", Verbatim, nullable=False),
    moment("created_at"),
    moment("delivered_at", nullable=True),
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
    key("platform_id", primary_key=True),
    key("account", primary_key=True),
    key("key", primary_key=True),
    Column("answer", Verbatim, nullable=False),
    moment("created_at"),
    Index("ix_sandbox_requests__created_at", "created_at"),
    info={"scope": "mode", "personal": False, "keep": "1 day"},
)
