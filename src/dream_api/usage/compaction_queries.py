"""SQL of compaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    SmallInteger,
    Table,
    and_,
    delete,
    literal_column,
    select,
    tuple_,
    update,
)

from dream_api.core.db import Statement, Tx, resume_key, values_table
from dream_api.usage.admission import CounterKey, SubjectKey
from dream_api.usage.admission_queries import Rows
from dream_api.usage.meter_queries import its_meter
from dream_api.usage.tables import meters, usage_counters, usage_hours, usage_subjects
from dream_api.usage.windows import Window

_BIG = BigInteger()
_life_key = {"platform_no": _BIG, "customer_no": _BIG, "meter_no": _BIG}
_counter_key = {**_life_key, "window": SmallInteger(), "starts_at": _BIG}
c = usage_counters.c
s = usage_subjects.c

_fewer = values_table("fewer", **_counter_key, fewer=_BIG)
_LESSEN = Statement(
    update(usage_counters)
    .values(count=c.count - _fewer.c.fewer)
    .where(and_(*(c[name] == _fewer.c[name] for name in _counter_key))),
    fewer=_fewer,
)
_empty = values_table("empty", **_counter_key)
_DROP_EMPTY = Statement(
    delete(usage_counters).where(
        tuple_(*usage_counters.primary_key).in_(select(*_empty.c)), c.count == literal_column("0")
    ),
    empty=_empty,
)

_months = values_table("months", **_life_key, starts_at=_BIG, ends_at=_BIG)
old = usage_hours.alias("old")
_TAKE_HOURS = Statement(
    delete(usage_hours)
    .where(
        tuple_(*usage_hours.primary_key).in_(
            select(*(old.c[column.name] for column in usage_hours.primary_key)).join_from(
                _months,
                old,
                and_(
                    *(old.c[name] == _months.c[name] for name in _life_key),
                    old.c.hour >= _months.c.starts_at,
                    old.c.hour < _months.c.ends_at,
                ),
            )
        )
    )
    .returning(*usage_hours.c),
    months=_months,
)


def are_of_past_hours_and_days(before: int) -> ColumnElement[bool]:
    """Counters of sum meters whose hour or day began before this moment."""
    is_distinct = select(meters.c.meter_no).where(its_meter(usage_counters), meters.c.aggregation == "distinct")
    return and_(
        c.window.in_([Window.HOUR, Window.DAY]), c.starts_at < before, ~is_distinct.correlate(usage_counters).exists()
    )


def are_of_past_windows(before: int) -> ColumnElement[bool]:
    """Subjects of hours, days and calendar months that began before this moment."""
    return and_(s.window.in_([Window.HOUR, Window.DAY, Window.MONTH]), s.starts_at < before)


async def delete_counters(tx: Tx, before: int, first: CounterKey, last: CounterKey) -> None:
    """Of sum meters' past hours and days, from one key to another."""
    between = _between(usage_counters, first, last)
    await tx.execute(delete(usage_counters).where(are_of_past_hours_and_days(before), between))


async def delete_subjects(tx: Tx, before: int, first: SubjectKey, last: SubjectKey) -> Rows:
    """Of past windows, from one key to another; returns their counters, each once for every deleted subject."""
    which = (are_of_past_windows(before), _between(usage_subjects, first, last))
    return await tx.all(delete(usage_subjects).where(*which).returning(*(s[name] for name in _counter_key)))


def _between(table: Table, first: Sequence[Any], last: Sequence[Any]) -> ColumnElement[bool]:
    key = tuple_(*table.primary_key)
    return and_(key >= resume_key(table, first), key <= resume_key(table, last))


async def subtract_from_counters(tx: Tx, fewer: Mapping[CounterKey, int]) -> None:
    """Subtract so much from each counter; counters that reach zero are deleted."""
    if fewer:
        await tx.run(_LESSEN, fewer=sorted((*key, lost) for key, lost in fewer.items()))
        await tx.run(_DROP_EMPTY, empty=sorted(fewer))


async def delete_hours(tx: Tx, months: Iterable[tuple[int, ...]]) -> Rows:
    """Delete the hours of lives in months, given as (life, start, end), and return the whole rows."""
    return await tx.fetch(_TAKE_HOURS, months=sorted(months))
