"""Sums up hours that are over, for charts: what all customers of a project and mode used in each.

A sum is exact or not believed. An hour is summed up when nobody can be about to count in it any more without telling:
whoever counts in an hour that `over_at` calls over notes that in the same transaction, and the hour is read from its
rows until its sum is made anew. What is not summed up yet is read from its rows as well; see `summing.py`.
"""

from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.usage import rollup_queries as queries

# Between what those who count call over and what is summed up: more than the longest transaction, and than servers'
# clocks differ.
_SLACK = 5 * clock.MINUTE
# In one transaction: few enough that the metered calls, which wait for it, do not notice.
_MOST_ROWS = 2_000
_MOST_NOTED = 20


def over_at(now: int) -> int:
    """Whoever counts in an hour that began before this moment has to note it."""
    return clock.hour_of(now) - clock.HOUR


async def roll_up(database: Database) -> bool:
    """Sum up some hours of every platform that has hours which are over; whether there may be more."""
    until = over_at(clock.now() - _SLACK)
    async with database.read() as tx:
        begun = await queries.unrolled(tx, until)
        noted = await queries.noted(tx)
    for platform_no, hour in begun:
        async with database.write() as tx:
            await _advance(tx, platform_no, hour, until)
    for platform_no in noted:
        async with database.write() as tx:
            await _renew(tx, platform_no)
    return bool(begun or noted)


async def _advance(tx: Tx, platform_no: int, hour: int, until: int) -> None:
    """The hours from the first one that has rows."""
    if await queries.hold(tx, platform_no) > hour:
        return  # another worker was here
    ends = await queries.hour_after(tx, platform_no, hour, _MOST_ROWS, until)
    await queries.put_totals(tx, platform_no, hour, ends)
    await queries.set_rolled(tx, platform_no, ends)


async def _renew(tx: Tx, platform_no: int) -> None:
    """The hours in which something was counted when they were over.

    The notes go first: what is noted after that is read by nobody here, and stays noted.
    """
    until = await queries.hold(tx, platform_no)
    hours = await queries.take_noted(tx, platform_no, _MOST_NOTED)
    for hour in sorted(hours):
        if hour < until:
            await queries.drop_totals(tx, platform_no, hour)
            await queries.put_totals(tx, platform_no, hour, hour + clock.HOUR)
