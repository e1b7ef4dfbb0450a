"""Members of platforms and their roles. Change them through `tenancy.membership`, which enforces the seat limit."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import accounts
from dream_api.accounts import Role
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, NotFound
from dream_api.platforms import member_queries, queries
from dream_api.platforms.permissions import PermissionDenied, require_permission
from dream_api.platforms.rules import Platform, platform_from

_OWNERS = "Ask an owner of the platform."


class AlreadyAMember(Conflict):
    code = "already_a_member"
    hint = "Change their role instead."


class LastOwner(Conflict):
    code = "last_owner"
    hint = "Make someone else an owner first, or delete the platform."


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's place on a platform."""

    platform: Platform
    role: Role
    joined_at: int


async def add_member(tx: Tx, platform_no: int, user_id: str, role: Role) -> None:
    if await member_queries.member_row(tx, platform_no, user_id) is not None:
        raise AlreadyAMember("They are already a member of this platform.")
    row = {"user_id": user_id, "role": role, "joined_at": clock.now()}
    await member_queries.insert_member(tx, platform_no, row)


async def memberships_of(tx: Tx, user_id: str) -> list[Membership]:
    """The platforms that the user works on, the oldest membership first."""
    rows = await member_queries.memberships_of(tx, user_id)
    return [Membership(platform_from(row), row.role, row.joined_at) for row in rows]


async def role_of(tx: Tx, platform_no: int, user_id: str) -> Role | None:
    """None: they are no member."""
    row = await member_queries.member_row(tx, platform_no, user_id)
    role: Role | None = None if row is None else row.role
    return role


async def find_member(tx: Tx, platform_no: int, user_id: str) -> Row[Any]:
    found = await member_queries.member_row(tx, platform_no, user_id)
    if found is None:
        raise NotFound("Member not found.", param="userId")
    return found


async def change_role(tx: Tx, platform_no: int, user_id: str, role: Role, *, by: Role) -> Row[Any]:
    """The member as they were; owners are made, and made less, by owners only, and the last one stays one."""
    member = await _lock_member(tx, platform_no, user_id)
    require_owner_to_change_owners(by, member.role, role)
    if member.role == "owner" and role != "owner":
        await _require_other_owner(tx, platform_no)
    await _set_role(tx, platform_no, user_id, role)
    return member


async def remove_member(tx: Tx, platform_no: int, user_id: str, *, by: Role) -> Row[Any]:
    """The member who is none any more; who removes themselves leaves."""
    member = await _lock_member(tx, platform_no, user_id)
    require_owner_to_change_owners(by, member.role)
    if member.role == "owner":
        await _require_other_owner(tx, platform_no)
    await member_queries.delete_member(tx, platform_no, user_id)
    await accounts.revoke_member_tokens(tx, platform_no, user_id)
    return member


async def transfer(tx: Tx, platform_no: int, from_user_id: str, to_user_id: str) -> None:
    """Make another member the owner; the present owner becomes an admin."""
    await _lock_member(tx, platform_no, to_user_id)
    if from_user_id == to_user_id:
        raise AlreadyAMember("You already own this platform.", param="userId", hint="Choose another member.")
    # Somebody may have made them less since their role was read.
    require_permission((await find_member(tx, platform_no, from_user_id)).role, "own")
    await _set_role(tx, platform_no, to_user_id, "owner")
    await _set_role(tx, platform_no, from_user_id, "admin")


def require_owner_to_change_owners(by: Role, *roles: Role) -> None:
    """Raises PermissionDenied where somebody who is no owner would make or remove one."""
    if by != "owner" and "owner" in roles:
        raise PermissionDenied(f"Only owners can add or remove owners; you are {by}.", hint=_OWNERS)


async def _set_role(tx: Tx, platform_no: int, user_id: str, role: Role) -> None:
    """With what their personal tokens may do."""
    await member_queries.set_role(tx, platform_no, user_id, role)
    await accounts.invalidate_tokens(tx, platform_no, user_id)


async def _lock_member(tx: Tx, platform_no: int, user_id: str) -> Row[Any]:
    """The member; nobody else changes the team before this transaction ends."""
    await queries.lock_platform(tx, platform_no)
    return await find_member(tx, platform_no, user_id)


async def _require_other_owner(tx: Tx, platform_no: int) -> None:
    if await member_queries.count_owners(tx, platform_no) < 2:  # noqa: PLR2004 - the one in question and another
        raise LastOwner("A platform needs at least one owner, and this is the last one.")
