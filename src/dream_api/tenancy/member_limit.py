"""The seat limit: how many members a platform may have on its level.

Levels limit members by a lifetime meter of the project home, which is kept equal to how many there are.
"""

from dream_api import platforms, usage
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden
from dream_api.platforms import Mode, Platform
from dream_api.tenancy.level_usage import PlatformLevel, get_platform_level
from dream_api.usage import Admitted, Call


class MembersLimitReached(Forbidden):
    code = "members_limit_reached"
    hint = "Remove a member, revoke an invitation, or ask an owner to move the platform to a higher level."


async def sync_member_count(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Set the meter to the number of members; MembersLimitReached where the level does not allow so many.

    The caller must have locked the platform. `mode`: in which home sells its levels.
    """
    found = await get_platform_level(tx, platform, mode)
    if found is None:
        return
    meter = found.home.members
    known = (await usage.get_limit_statuses(tx, found.charge(platform, meter, 0)))[0].count
    change = await platforms.count_members(tx, platform.no) - known
    if change == 0:
        return
    call = Call((found.charge(platform, meter, change),))
    [verdict] = (await usage.count(tx, [call], _nothing)).verdicts
    if isinstance(verdict, usage.Refused):
        raise _limit_error(found, verdict.by.max or 0)


async def require_free_seat(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Raises MembersLimitReached where one more than all members and open invitations would be too many."""
    found = await get_platform_level(tx, platform, mode)
    most = None if found is None else _member_limit(found)
    if found is None or most is None:
        return
    there = await platforms.count_members(tx, platform.no)
    invited = await platforms.count_open(tx, platform.no, clock.now())
    if there + invited >= most:
        raise _limit_error(found, most)


def _nothing(_: int, __: Admitted) -> str:
    """The stored result of a call with an idempotency key; these calls have none."""
    return ""


def _member_limit(found: PlatformLevel) -> int | None:
    """How many members the level allows; None: any number."""
    limits = found.plan.limits.get(found.home.members.no, ())
    return min((limit.max for limit in limits if limit.max is not None and limit.kind == "hard"), default=None)


def _limit_error(found: PlatformLevel, most: int) -> MembersLimitReached:
    many = "1 member" if most == 1 else f"{most:,} members"
    return MembersLimitReached(f"The platform is on the level {found.level.display_name}, which allows {many}.")
