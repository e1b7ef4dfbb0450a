"""Operators of the instance: members of the operator's platform; the first one joins by a one-time link."""

from dream_api import identity
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.platforms.member_queries import members_of
from dream_api.platforms.members import add_member
from dream_api.platforms.rules import Platform, find, operator_platform

_LINK = "operator"
_LASTS = clock.DAY


async def operator_is_missing(tx: Tx) -> bool:
    return not await members_of(tx, (await operator_platform(tx)).id)


async def create_operator_link(tx: Tx) -> str:
    """The secret part of `/account/operator/…`: it works for a day, once, and those from before no longer do."""
    platform = await operator_platform(tx)
    await identity.delete_links(tx, platform.id, _LINK)
    return await identity.issue_link(tx, _LINK, platform.id, lasts=_LASTS)


async def check_operator_link(tx: Tx, token: str) -> None:
    """Raises LinkExpired where the link cannot be used."""
    await identity.find_link(tx, _LINK, token)


async def become_operator(tx: Tx, token: str, user_id: str) -> Platform:
    """The user owns the operator's platform from now on; raises LinkExpired, AlreadyAMember."""
    link = await identity.use_link(tx, _LINK, token)
    await add_member(tx, link.subject, user_id, "owner")
    return await find(tx, link.subject)
