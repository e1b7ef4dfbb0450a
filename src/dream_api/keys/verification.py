"""Verification of API keys, and its errors."""

from dataclasses import dataclass

from dream_api.core.db import Tx
from dream_api.core.errors import Unauthorized
from dream_api.keys import key_format, queries
from dream_api.keys.key_format import Kind
from dream_api.platforms import Mode, PlatformClosing, ProjectType, mode_no

# Cached by the hash in hexadecimal digits.
CACHE_KIND = "key"


class KeyRefused(Unauthorized):
    """Base of the errors of keys that are not accepted."""


class KeyMissing(KeyRefused):
    code = "key_missing"
    hint = "Send Authorization: Bearer sk_test_… with a secret key of the project."


class KeyMalformed(KeyRefused):
    code = "key_malformed"
    hint = "Copy the whole key again: it begins with sk_ or pk_, and a part of it is missing or mistyped."


class KeyUnknown(KeyRefused):
    code = "key_unknown"
    hint = "Check that the key was created on this instance, or create a new one with `dream-api keys create`."


class KeyRevoked(KeyRefused):
    code = "key_revoked"
    hint = "Use another key of the project. `dream-api keys list` shows which keys work."


class KeyExpired(KeyRefused):
    code = "key_expired"
    hint = "Use a newer key of the project, or create one with `dream-api keys create`."


KEY_ERRORS = (KeyMissing, KeyMalformed, KeyUnknown, KeyRevoked, KeyExpired, PlatformClosing)


@dataclass(frozen=True, slots=True)
class Key:
    """A key's facts: whose it is, what it may, and until when."""

    id: str
    platform_id: str
    platform_no: int
    project_id: str
    project_no: int
    project_type: ProjectType
    mode: Mode
    mode_no: int
    kind: Kind
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    # Calls a second; none: any number.
    rate_limit: int | None
    # When its platform is deleted, where somebody asked for that.
    platform_deletes_at: int | None = None

    @property
    def caller(self) -> str:
        """Who calls: all secret keys of a project and mode are one server, also across a rotation."""
        return f"server:{self.project_id}:{self.mode}"

    @property
    def plans_name(self) -> str:
        """The cache key of the project's tiers in this mode."""
        return f"{self.project_id}:{self.mode}"

    @property
    def is_secret(self) -> bool:
        return self.kind == "secret"


def parse_key(authorization: str | None) -> str:
    """The key in an Authorization header; raises KeyMissing and KeyMalformed, without reading the database."""
    scheme, _, token = (authorization or "").partition(" ")
    if not token or scheme.lower() != "bearer":
        raise KeyMissing("The request has no API key in its Authorization header.")
    token = token.strip()
    if not key_format.is_well_formed(token):
        raise KeyMalformed("The value in the Authorization header is not a valid API key.")
    return token


async def load(tx: Tx, hashed: bytes) -> Key | None:
    """The key with this hash, also a revoked or expired one."""
    row = await queries.by_hash(tx, hashed)
    if row is None:
        return None
    return Key(
        id=row.id,
        platform_id=row.platform_id,
        platform_no=row.platform_no,
        project_id=row.project_id,
        project_no=row.project_no,
        project_type=row.project_type,
        mode=row.mode,
        mode_no=mode_no(row.mode),
        kind=row.kind,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        rate_limit=row.rate_limit,
        platform_deletes_at=row.platform_deletes_at,
    )


def require_active_key(key: Key | None, now: int) -> Key:
    """The key, where it exists, was not revoked, has not expired, and its platform goes on."""
    if key is None:
        raise KeyUnknown("This API key does not exist.")
    if key.revoked_at is not None:
        raise KeyRevoked("The key was revoked.")
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyExpired("The key has expired.")
    if key.platform_deletes_at is not None:
        raise PlatformClosing("The platform is being deleted: its API keys no longer work.")
    return key
