"""Compaction of old usage: hours are merged into months, and counters of windows that ended long ago are deleted.

What is deleted is not read or written by metered calls any more: none counts further back than its customer's current
period, which is a month at most. After each of the transactions every sum that `doctor` checks is what it was.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from dream_api.core import clock
from dream_api.core.db import Database, Tx, iterate_by_key
from dream_api.usage import compaction_queries as queries
from dream_api.usage.admission import CounterKey, HourKey, LifeKey, SubjectKey
from dream_api.usage.admission_queries import add_hours, insert_late_hours
from dream_api.usage.tables import usage_counters, usage_hours, usage_subjects

MONTHS_KEPT = 13
DAYS_OF_COUNTERS_KEPT = 40
# Rows in one transaction: few enough that the metered calls, which wait for it, do not notice.
CHUNK = 300

# A life, and where a calendar month of it begins.
Month = tuple[int, int, int, int]


async def compact(database: Database, now: int) -> None:
    """Merge the hours of months that ended 13 months ago; may be interrupted anywhere and started again.

    Counters of hours and days go first: they are sums of hours, which cannot be computed any more after the merge.
    """
    before, _ = clock.month_of(clock.add_months(now, -MONTHS_KEPT))
    await _delete_counters(database, now - (DAYS_OF_COUNTERS_KEPT + 1) * clock.DAY)
    await _delete_subjects(database, before)
    await _merge_months(database, before)


async def _delete_counters(database: Database, before: int) -> None:
    """Of hours and days that began before this moment, where a meter sums: they can be computed from their hours."""
    async for rows in iterate_by_key(database, usage_counters, queries.are_of_past_hours_and_days(before)):
        for some in _in_chunks(rows):
            async with database.write() as tx:
                await queries.delete_counters(tx, before, _counter_of(some[0]), _counter_of(some[-1]))


async def _delete_subjects(database: Database, before: int) -> None:
    """Of hours, days and months that began before this moment, together with the counts of them."""
    async for rows in iterate_by_key(database, usage_subjects, queries.are_of_past_windows(before)):
        for some in _in_chunks(rows):
            async with database.write() as tx:
                gone = await queries.delete_subjects(tx, before, _subject_of(some[0]), _subject_of(some[-1]))
                await queries.subtract_from_counters(tx, Counter(_counter_of(row) for row in gone))


async def _merge_months(database: Database, before: int) -> None:
    waiting: dict[Month, int] = {}
    async for month, rows in _months_to_merge(database, before):
        waiting[month] = rows
        if sum(waiting.values()) >= CHUNK:
            await _merge(database, waiting)
            waiting = {}
    if waiting:
        await _merge(database, waiting)


async def _months_to_merge(database: Database, before: int) -> AsyncGenerator[tuple[Month, int]]:
    """Months of which some period has more than one row, and how many rows they have."""
    current: Month | None = None
    periods: Counter[int] = Counter()
    async for rows in iterate_by_key(database, usage_hours, usage_hours.c.hour < before):
        for row in rows:
            month = (row.platform_no, row.customer_no, row.meter_no, _month_of(row.hour))
            if month != current:
                if current is not None and periods.total() > len(periods):
                    yield current, periods.total()
                current, periods = month, Counter()
            periods[row.period_starts_at] += 1
    if current is not None and periods.total() > len(periods):
        yield current, periods.total()


async def _merge(database: Database, months: Iterable[Month]) -> None:
    """Deleted hours are added again in the same transaction, so that concurrent merges change no sum."""
    async with database.write() as tx:
        taken = await _delete_hours(tx, months)
        await add_hours(tx, _merged(taken))
        await insert_late_hours(tx, {(row[0], row[3]) for row in taken})


async def _delete_hours(tx: Tx, months: Iterable[Month]) -> Sequence[Sequence[Any]]:
    return await queries.delete_hours(tx, [(*month, clock.month_of(month[3])[1]) for month in months])


def _merged(taken: Iterable[Sequence[Any]]) -> dict[HourKey, list[int]]:
    """One row for each month and period, at its earliest hour: so it is inside both."""
    by_month: defaultdict[tuple[LifeKey, int, int], list[Sequence[Any]]] = defaultdict(list)
    for row in taken:
        by_month[(row[0], row[1], row[2]), _month_of(row[3]), row[4]].append(row)
    return {
        (*life, min(row[3] for row in rows), period): [sum(row[5] for row in rows), sum(row[6] for row in rows)]
        for (life, _, period), rows in sorted(by_month.items())
    }


@lru_cache(maxsize=1_000)
def _month_of(hour: int) -> int:
    """Where the calendar month begins; hours come again with every customer, and calendars are slow."""
    return clock.month_of(hour)[0]


def _in_chunks(rows: Sequence[Row[Any]]) -> Iterable[Sequence[Row[Any]]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _subject_of(row: Sequence[Any]) -> SubjectKey:
    return (*_counter_of(row), row[5])


def _counter_of(row: Sequence[Any]) -> CounterKey:
    return (row[0], row[1], row[2], row[3], row[4])
