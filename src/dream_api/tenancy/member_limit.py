"""How many members a platform has, counted against its level.

Levels limit members by a lifetime meter of the project home, which is kept equal to how many there are.
"""

from dream_api import platforms, usage
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden
from dream_api.platforms import Mode, Platform
from dream_api.tenancy.level_usage import PlatformLevel, level_of
from dream_api.usage import Admitted, Call


class MembersLimitReached(Forbidden):
    code = "members_limit_reached"
    hint = "Remove a member, revoke an invitation, or have an owner move the platform to a higher level."


async def sync_member_count(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Bring the meter to how many there are; MembersLimitReached where the level has no room for them.

    Whoever changes the team holds the platform meanwhile. `mode`: in which home sells its levels.
    """
    found = await level_of(tx, platform, mode)
    if found is None:
        return
    meter = found.home.members
    known = (await usage.standings(tx, found.charge(platform, meter, 0), clock.now()))[0].count
    change = await platforms.count_members(tx, platform.id) - known
    if change == 0:
        return
    call = Call((found.charge(platform, meter, change),))
    [verdict] = (await usage.count(tx, [call], _nothing)).verdicts
    if isinstance(verdict, usage.Refused):
        raise _refusal(found, verdict.by.max or 0)


async def require_free_seat(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Raises MembersLimitReached where one more than all members and all who are invited would be too many."""
    found = await level_of(tx, platform, mode)
    most = None if found is None else _most(found)
    if found is None or most is None:
        return
    there = await platforms.count_members(tx, platform.id)
    invited = await platforms.count_open(tx, platform.id, clock.now())
    if there + invited >= most:
        raise _refusal(found, most)


def _nothing(_: int, __: Admitted) -> str:
    """What is stored of a call with a key, which these are not."""
    return ""


def _most(found: PlatformLevel) -> int | None:
    """How many members the level allows; None: any number."""
    limits = found.plan.limits.get(found.home.members.no, ())
    return min((limit.max for limit in limits if limit.max is not None and limit.kind == "hard"), default=None)


def _refusal(found: PlatformLevel, most: int) -> MembersLimitReached:
    many = "1 member" if most == 1 else f"{most:,} members"
    return MembersLimitReached(f"The platform is on the level {found.level.display_name}, which allows {many}.")
