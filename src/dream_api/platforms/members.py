"""Who works on a platform, and in which role."""

from dataclasses import dataclass

from dream_api.accounts import Role
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.platforms import member_queries
from dream_api.platforms.rules import Platform


class AlreadyAMember(Conflict):
    code = "already_a_member"
    hint = "Change their role instead."


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's place on a platform."""

    platform: Platform
    role: Role
    joined_at: int


async def add_member(tx: Tx, platform_id: str, user_id: str, role: Role) -> None:
    if await member_queries.member_row(tx, platform_id, user_id) is not None:
        raise AlreadyAMember("They are a member of the platform already.")
    row = {"user_id": user_id, "role": role, "joined_at": clock.now()}
    await member_queries.insert_member(tx, platform_id, row)


async def memberships_of(tx: Tx, user_id: str) -> list[Membership]:
    """The platforms that the user works on, the oldest membership first."""
    rows = await member_queries.memberships_of(tx, user_id)
    return [Membership(Platform(row.platform_id, row.no, row.name), row.role, row.joined_at) for row in rows]


async def role_of(tx: Tx, platform_id: str, user_id: str) -> Role | None:
    """None: they are no member."""
    row = await member_queries.member_row(tx, platform_id, user_id)
    role: Role | None = None if row is None else row.role
    return role


async def is_last_owner(tx: Tx, platform_id: str, user_id: str) -> bool:
    """Whether nobody would own the platform without them."""
    owners = [row.user_id for row in await member_queries.members_of(tx, platform_id) if row.role == "owner"]
    return owners == [user_id]
