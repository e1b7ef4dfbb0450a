"""Verification of personal tokens."""

from dataclasses import dataclass

from dream_api.accounts import token_queries
from dream_api.accounts.roles import Role
from dream_api.core import clock, tokens
from dream_api.core.db import Tx
from dream_api.core.errors import Unauthorized

# Cached by the hash in hexadecimal digits.
CACHE_KIND = "token"
PREFIX = "dpt_"


class TokenMalformed(Unauthorized):
    code = "token_malformed"
    hint = "Copy the whole token again: dpt_ followed by 38 letters and digits."


class TokenUnknown(Unauthorized):
    code = "token_unknown"
    hint = "Check that the token was created on this instance, or create a new one at /account."


class TokenRevoked(Unauthorized):
    code = "token_revoked"
    hint = "Use another token. `dream-api token list` shows which tokens work."


class TokenExpired(Unauthorized):
    code = "token_expired"
    hint = "Create a new token with `dream-api token create`."


TOKEN_ERRORS = (TokenMalformed, TokenUnknown, TokenRevoked, TokenExpired)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal token: its platform, role and expiry."""

    id: str
    platform_no: int
    role: Role
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    # Whose it is, where it is a member's.
    user_id: str | None = None


def token_in_header(authorization: str | None) -> str | None:
    """The personal token of an Authorization header, None where it holds none."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    return token if token.startswith(PREFIX) and scheme.lower() == "bearer" else None


def parse_token(token: str) -> str:
    """The token; raises TokenMalformed, without a query, where the checksum is wrong."""
    if not tokens.has_valid_checksum(token, PREFIX):
        raise TokenMalformed("The value in the Authorization header is not a valid personal token.")
    return token


async def load_token(tx: Tx, hashed: bytes) -> PersonalToken | None:
    """The token with this hash, also a revoked or expired one."""
    row = await token_queries.by_hash(tx, hashed)
    return None if row is None else PersonalToken(**{name: getattr(row, name) for name in PersonalToken.__slots__})


def require_active_token(token: PersonalToken | None, now: int) -> PersonalToken:
    """The token; raises where it does not exist, was revoked or has expired."""
    if token is None:
        raise TokenUnknown("This personal token does not exist.")
    if token.revoked_at is not None:
        raise TokenRevoked("The token was revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenExpired("The token has expired.")
    return token


async def touch_token(tx: Tx, token: PersonalToken, now: int) -> None:
    """Store when the token was used, at most once an hour."""
    await token_queries.set_used(tx, token.platform_no, token.id, now, unless_after=now - clock.HOUR)
