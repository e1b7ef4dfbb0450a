"""Rollup of finished hours, for charts: what all customers of a project and mode used in each.

A sum is exact or not used. An hour is summed up once no transaction can count in it any more without recording that: a
transaction that counts in an hour before `finished_before`, or in one that is summed up already because a clock was
ahead, inserts a late hour, and the hour is read from its rows until its sum is computed again. Hours that are not
summed up yet are read from their rows too; see `hourly_totals.py`.
"""

from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.usage import rollup_queries as queries

# Between the hours that metered calls treat as finished and those that are summed up: more than the longest
# transaction, and than servers' clocks differ.
_SLACK = 5 * clock.MINUTE
# In one transaction: few enough that the metered calls, which wait for it, do not notice.
_MOST_ROWS = 2_000
_MOST_NOTED = 20


def finished_before(now: int) -> int:
    """Hours that began before this moment are finished; who counts in one has to insert a late hour."""
    return clock.hour_of(now) - clock.HOUR


async def roll_up(database: Database) -> bool:
    """Sum up some finished hours of every platform; whether there may be more."""
    until = finished_before(clock.now() - _SLACK)
    async with database.read() as tx:
        begun = await queries.get_pending_platforms(tx, until)
        noted = await queries.get_late_platforms(tx)
    for platform_no, hour in begun:
        async with database.write() as tx:
            await _advance(tx, platform_no, hour, until)
    for platform_no in noted:
        async with database.write() as tx:
            await _recompute_late_hours(tx, platform_no)
    return bool(begun or noted)


async def _advance(tx: Tx, platform_no: int, hour: int, until: int) -> None:
    """The hours from the first one that has rows."""
    if await queries.lock_progress(tx, platform_no) > hour:
        return  # another worker was here
    ends = await queries.hour_after(tx, platform_no, hour, _MOST_ROWS, until)
    await queries.insert_totals(tx, platform_no, hour, ends)
    await queries.set_progress(tx, platform_no, ends)


async def _recompute_late_hours(tx: Tx, platform_no: int) -> None:
    """Sum up again the hours in which something was counted after they were finished.

    Their rows in `usage_late` are deleted first: those inserted after that stay for the next time.
    """
    until = await queries.lock_progress(tx, platform_no)
    hours = await queries.pop_late_hours(tx, platform_no, _MOST_NOTED)
    for hour in sorted(hours):
        if hour < until:
            await _compute(tx, platform_no, hour, hour + clock.HOUR)


async def rebuild(database: Database, platform_no: int) -> None:
    """Compute all sums of the platform again, from its hours; hours that are not finished are not summed up any more.

    May be interrupted anywhere and started again; metered calls and charts go on meanwhile.
    """
    finished = finished_before(clock.now() - _SLACK)
    hour, until = 0, finished
    while hour < until:
        async with database.write() as tx:
            until = min(finished, await queries.lock_progress(tx, platform_no))
            ends = await queries.hour_after(tx, platform_no, hour, _MOST_ROWS, until)
            await _compute(tx, platform_no, hour, ends)
        hour = ends
    async with database.write() as tx:
        until = min(finished, await queries.lock_progress(tx, platform_no))
        await queries.delete_totals(tx, platform_no, until)
        await queries.set_progress(tx, platform_no, until)


async def _compute(tx: Tx, platform_no: int, starts_at: int, ends_at: int) -> None:
    """The sums of these hours, as their rows are now."""
    await queries.delete_totals(tx, platform_no, starts_at, ends_at)
    await queries.insert_totals(tx, platform_no, starts_at, ends_at)
