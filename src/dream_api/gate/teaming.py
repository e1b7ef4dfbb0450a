"""Who joins and leaves a platform is counted against its level, in the same transaction.

Levels limit members by a lifetime meter of the project home, which is kept equal to how many there are.
"""

from dream_api import platforms, usage
from dream_api.accounts import Role
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden
from dream_api.gate.standing import LevelOf, level_of
from dream_api.platforms import Mode, Platform
from dream_api.usage import Call


class MembersLimitReached(Forbidden):
    code = "members_limit_reached"
    hint = "Remove a member, revoke an invitation, or have an owner move the platform to a higher level."


async def found_platform(tx: Tx, name: str, user_id: str, mode: Mode) -> Platform:
    """A new platform on the lowest level, whose owner the user is; `mode`: in which home sells its levels."""
    platform = await platforms.create(tx, name)
    await join(tx, platform, user_id, "owner", mode)
    return platform


async def join(tx: Tx, platform: Platform, user_id: str, role: Role, mode: Mode) -> None:
    """The user works on the platform from now on; MembersLimitReached where its level has no room."""
    await platforms.hold_platform(tx, platform.id)
    await platforms.add_member(tx, platform.id, user_id, role)
    await _count(tx, platform, mode)


async def leave(tx: Tx, platform: Platform, user_id: str, mode: Mode, *, by: Role) -> Role:
    """The user is no member any more; answers what they were."""
    left = await platforms.remove_member(tx, platform.id, user_id, by=by)
    await _count(tx, platform, mode)
    return left.role


async def refuse_crowded(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Raises MembersLimitReached where one more than all members and all who are invited would be too many."""
    found = await level_of(tx, platform, mode)
    most = None if found is None else _most(found)
    if found is None or most is None:
        return
    there = await platforms.count_members(tx, platform.id)
    invited = await platforms.count_open(tx, platform.id, clock.now())
    if there + invited >= most:
        raise _refusal(found, most)


async def _count(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Bring the meter to how many members there are; whoever changes the team holds the platform meanwhile."""
    found = await level_of(tx, platform, mode)
    if found is None:
        return
    meter = found.home.members
    known = (await usage.standings(tx, found.charge(platform, meter, 0), clock.now()))[0].count
    change = await platforms.count_members(tx, platform.id) - known
    if change == 0:
        return
    call = Call((found.charge(platform, meter, change),))
    [verdict] = (await usage.count(tx, [call], lambda *_: "")).verdicts
    if isinstance(verdict, usage.Refused):
        raise _refusal(found, verdict.by.max or 0)


def _most(found: LevelOf) -> int | None:
    """How many members the level allows; None: any number."""
    limits = found.plan.limits.get(found.home.members.no, ())
    return min((limit.max for limit in limits if limit.max is not None and limit.kind == "hard"), default=None)


def _refusal(found: LevelOf, most: int) -> MembersLimitReached:
    many = "1 member" if most == 1 else f"{most:,} members"
    return MembersLimitReached(f"The platform is on the level {found.level.display_name}, which allows {many}.")
