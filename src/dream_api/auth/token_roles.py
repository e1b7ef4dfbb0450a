"""Roles of personal tokens: never above the present role of their owner."""

from dataclasses import replace

from dream_api import accounts, platforms
from dream_api.accounts import ROLES, PersonalToken, Role
from dream_api.core import clock
from dream_api.core.db import Tx


async def load_token(tx: Tx, hashed: bytes) -> PersonalToken | None:
    """As `accounts.load_token`, with the lower of its own role and its owner's; revoked if the owner is no member."""
    token = await accounts.load_token(tx, hashed)
    if token is None or token.user_id is None:
        return token
    role = await platforms.role_of(tx, token.platform_no, token.user_id)
    if role is None:
        return replace(token, revoked_at=token.revoked_at or clock.now())
    return replace(token, role=lower_role(token.role, role))


def lower_role(one: Role, other: Role) -> Role:
    """The one of the two who may do less."""
    return ROLES[max(ROLES.index(one), ROLES.index(other))]
