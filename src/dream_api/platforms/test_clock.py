"""Test clocks: a project's test mode may be ahead of real time; its live mode, and the project home, never are.

What happens in a project and mode is stored with the time of its clock (`project_now`). Only keys, sign-ins, the
security log, reservations, jobs, emails and received gateway events have real time (`clock.now`), because they concern
real servers and people. A time is shown, and compared, with the clock by which it was written.
"""

from sqlalchemy import select

from dream_api.core import clock
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx, insert
from dream_api.core.errors import Invalid, ValidationFailed
from dream_api.platforms import queries
from dream_api.platforms.rules import Mode, Project, project_from
from dream_api.platforms.tables import test_clocks

# How far ahead a project is, is cached with its tiers, as `<project>:<mode>`.
PLANS_KIND = "plans"
FARTHEST_YEARS = 10


class TestClockBackwards(Invalid):
    code = "test_clock_backwards"
    hint = "Send a time later than the project's current time. To start over, create another project."


async def clock_offset(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> int:
    """By how many microseconds the project's time in this mode is ahead of real time."""
    if mode == "live":
        return 0
    t = test_clocks.c
    return await tx.scalar(select(t.ahead).where(t.platform_no == platform_no, t.project_id == project_id)) or 0


async def project_now(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> int:
    """The present moment of the project in this mode."""
    return clock.now() + await clock_offset(tx, platform_no, project_id, mode)


async def projects_with_offsets(tx: Tx, platform_no: int, *, limit: int) -> list[tuple[Project, int]]:
    """The platform's projects, oldest first, so many at most, each with the `clock_offset` of its test mode."""
    rows = await queries.projects_with_offsets(tx, platform_no, limit=limit)
    return [(project_from(row), row.ahead) for row in rows]


async def require_movable(tx: Tx, project: Project, at: int) -> None:
    """Raise where the test clock cannot be moved to this moment; the project is locked until the transaction ends."""
    if project.id == await queries.home_project_id(tx):
        raise ValidationFailed(
            f"The project {project.name} has no test clock: it limits and bills the platforms of this instance.",
            param="project",
            hint="Use the test clock of another project.",
        )
    await queries.lock_project(tx, project.platform_no, project.id)
    present = await project_now(tx, project.platform_no, project.id, "test")
    if at <= present:
        raise TestClockBackwards(
            f"The clock of this project is already at {clock.rfc3339(present)}.", param="advanceTo"
        )
    if at > clock.add_months(clock.now(), 12 * FARTHEST_YEARS):
        raise ValidationFailed(f"The clock can be at most {FARTHEST_YEARS} years ahead.", param="advanceTo")


async def move_to(tx: Tx, project: Project, at: int) -> None:
    """Let it be this moment in the project's test mode, in every process within a second; time goes on from there."""
    await require_movable(tx, project, at)
    real = clock.now()
    row = {"ahead": at - real, "moved_at": real}
    moved = insert(test_clocks).values(platform_no=project.platform_no, project_id=project.id, **row)
    await tx.execute(moved.on_conflict_do_update(index_elements=list(test_clocks.primary_key), set_=row))
    await invalidate(tx, PLANS_KIND, f"{project.id}:test")
