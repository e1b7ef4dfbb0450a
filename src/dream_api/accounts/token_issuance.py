"""Personal tokens: issuing and revoking."""

from dataclasses import dataclass

from dream_api.accounts import token_queries
from dream_api.accounts.roles import Role
from dream_api.accounts.token_verification import CACHE_KIND, PREFIX
from dream_api.core import clock, ids, tokens
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, NotFound, ValidationFailed
from dream_api.core.secrets import hash_token

_LONGEST_NAME = 120


class TokenAlreadyRevoked(Conflict):
    code = "token_already_revoked"
    hint = "You do not need to do anything."


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new personal token; its text is returned here only."""

    id: str
    role: Role
    token: str


async def issue_token(
    tx: Tx,
    platform_no: int,
    role: Role,
    *,
    created_by: str,
    name: str = "",
    expires_at: int | None = None,
    user_id: str | None = None,
) -> IssuedToken:
    """A new token. `user_id`: its owner; it works while they are a member, within their role."""
    now = clock.now()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValidationFailed(f"A name can have at most {_LONGEST_NAME} printable characters.", param="name")
    if expires_at is not None and expires_at <= now:
        raise ValidationFailed("The expiry date must be in the future.", param="expiresAt")
    issued = IssuedToken(ids.new("tok"), role, tokens.create_token(PREFIX))
    hashed = hash_token(issued.token)
    row = {
        "id": issued.id,
        "hash": hashed,
        "role": role,
        "name": name,
        "shown": tokens.masked(issued.token),
        "created_by": created_by,
        "user_id": user_id,
        "created_at": now,
        "expires_at": expires_at,
    }
    await token_queries.insert_token(tx, platform_no, row)
    await invalidate(tx, CACHE_KIND, hashed.hex())  # that there is no such token may be cached
    return issued


async def revoke_token(tx: Tx, platform_no: int, token_id: str) -> None:
    """Revoke the token, in every process within a second."""
    token = await token_queries.find_token(tx, platform_no, token_id)
    if token is None:
        raise NotFound("Token not found.", param="token")
    if token.revoked_at is not None:
        raise TokenAlreadyRevoked("The token is already revoked.")
    await token_queries.set_revoked(tx, platform_no, token_id, clock.now())
    await invalidate(tx, CACHE_KIND, token.hash.hex())


async def revoke_user_tokens(tx: Tx, user_id: str) -> None:
    """Revoke all tokens of the user, and remove the user from them."""
    for row in await token_queries.list_user_tokens(tx, user_id):
        await token_queries.set_orphaned(tx, row.platform_no, row.id, clock.now())
        await invalidate(tx, CACHE_KIND, row.hash.hex())


async def revoke_member_tokens(tx: Tx, platform_no: int, user_id: str) -> None:
    """Revoke the user's tokens on the platform, for good, even where the user joins it again."""
    for row in await token_queries.list_member_tokens(tx, platform_no, user_id):
        if row.revoked_at is None:
            await token_queries.set_revoked(tx, platform_no, row.id, clock.now())
            await invalidate(tx, CACHE_KIND, row.hash.hex())


async def revoke_platform_tokens(tx: Tx, platform_no: int) -> None:
    """Revoke all tokens of the platform."""
    for row in await token_queries.list_platform_tokens(tx, platform_no):
        if row.revoked_at is None:
            await token_queries.set_revoked(tx, platform_no, row.id, clock.now())
            await invalidate(tx, CACHE_KIND, row.hash.hex())


async def invalidate_tokens(tx: Tx, platform_no: int, user_id: str) -> None:
    """Invalidate the user's cached tokens on the platform, because their role has changed."""
    for row in await token_queries.list_member_tokens(tx, platform_no, user_id):
        await invalidate(tx, CACHE_KIND, row.hash.hex())
