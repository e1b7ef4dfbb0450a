"""What proves who somebody is; a subject is the id of a person, of whatever kind."""

from sqlalchemy import Column, Index, Table

from dream_api.core.db.columns import Digest, Number, Verbatim, key, metadata, moment

# Directory: links that work once.
one_time_links = Table(
    "one_time_links",
    metadata,
    Column("hash", Digest, primary_key=True),
    key("purpose"),
    key("subject"),
    # What the purpose must remember, such as a new address.
    Column("payload", Verbatim, nullable=False),
    moment("created_at"),
    moment("expires_at"),
    Index("ix_one_time_links__subject", "subject", "purpose"),
    Index("ix_one_time_links__expires_at", "expires_at"),
    info={"scope": "directory", "personal": True, "keep": "until used or expired"},
)

# Directory: tries that failed, by the digest of what was tried; also of what does not exist, so that nobody can tell.
attempts = Table(
    "attempts",
    metadata,
    Column("hash", Digest, primary_key=True),
    Column("failed_attempts", Number, nullable=False),
    moment("locked_at", nullable=True),
    moment("changed_at"),
    Index("ix_attempts__changed_at", "changed_at"),
    info={"scope": "directory", "personal": True, "keep": "for a day"},
)

# Directory: the authenticators that make codes.
second_factors = Table(
    "second_factors",
    metadata,
    key("subject", primary_key=True),
    # The secret, sealed with the instance key.
    Column("sealed", Verbatim, nullable=False),
    # The last step of 30 seconds whose code was taken.
    Column("last_step", Number, nullable=False),
    moment("created_at"),
    # None: shown, but not proved to work yet.
    moment("confirmed_at", nullable=True),
    info={"scope": "directory", "personal": True, "keep": "until turned off"},
)

# Directory.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    key("subject", primary_key=True),
    Column("hash", Digest, primary_key=True),
    info={"scope": "directory", "personal": True, "keep": "until used"},
)
