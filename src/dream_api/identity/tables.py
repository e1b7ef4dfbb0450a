"""Tables of one-time links, login attempts and second factors; a subject is the id of a person of any kind."""

from sqlalchemy import Column, Index, Table

from dream_api.core.db.columns import Hash, Number, RawText, id_column, metadata, sealed_column, timestamp_column

# Directory: links that work once.
one_time_links = Table(
    "one_time_links",
    metadata,
    Column("hash", Hash, primary_key=True),
    id_column("purpose"),
    id_column("subject"),
    # What the purpose must remember, such as a new address.
    Column("payload", RawText, nullable=False),
    timestamp_column("created_at"),
    timestamp_column("expires_at"),
    Index("ix_one_time_links__subject", "subject", "purpose"),
    Index("ix_one_time_links__expires_at", "expires_at"),
    info={"scope": "directory", "personal": True, "keep": "until used or expired"},
)

# Directory: failed attempts, by the hash of their name; also of accounts that do not exist, which must not show.
attempts = Table(
    "attempts",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("failed_attempts", Number, nullable=False),
    timestamp_column("locked_at", nullable=True),
    timestamp_column("changed_at"),
    Index("ix_attempts__changed_at", "changed_at"),
    info={"scope": "directory", "personal": True, "keep": "for a day"},
)

# Directory: the authenticators that make codes.
second_factors = Table(
    "second_factors",
    metadata,
    id_column("subject", primary_key=True),
    sealed_column(
        "sealed",
        owner="subject",
        what="authenticator apps",
        when_lost="Their users sign in without a code until they set up an app again.",
    ),
    # The last step of 30 seconds whose code was taken.
    Column("last_step", Number, nullable=False),
    timestamp_column("created_at"),
    # None: shown, but not proved to work yet.
    timestamp_column("confirmed_at", nullable=True),
    info={"scope": "directory", "personal": True, "keep": "until turned off"},
)

# Directory.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    id_column("subject", primary_key=True),
    Column("hash", Hash, primary_key=True),
    info={"scope": "directory", "personal": True, "keep": "until used"},
)
