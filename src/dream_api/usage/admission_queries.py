"""SQL of admission: counters, their locks, hours, subjects and idempotency keys of metered calls."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    SmallInteger,
    Text,
    and_,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from dream_api.core import clock, ids
from dream_api.core.db import RawTransaction, Statement, insert, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.usage.admission import CounterKey, EventKey, HourKey, LifeKey
from dream_api.usage.tables import usage_counters, usage_events, usage_hours, usage_late, usage_rolled, usage_subjects

_BIG = BigInteger()
_counter_key = {
    "platform_no": _BIG,
    "customer_no": _BIG,
    "meter_no": _BIG,
    "window": SmallInteger(),
    "starts_at": _BIG,
}
_life_key = {"platform_no": _BIG, "customer_no": _BIG, "meter_no": _BIG}
_event_key = {
    "platform_no": _BIG,
    "project_no": _BIG,
    "mode": SmallInteger(),
    "customer_no": _BIG,
    "key": ByteOrderedText,
    "item": _BIG,
}
_NOTHING = literal_column("0", BigInteger())
c = usage_counters.c

_wanted = values_table("wanted", **_counter_key)
_COUNTS = Statement(
    select(*(c[name] for name in _counter_key), c.closed_until, c.count, c.held, c.announced, c.windows).join_from(
        _wanted, usage_counters, and_(*(c[name] == _wanted.c[name] for name in _counter_key))
    ),
    wanted=_wanted,
)

u = usage_rolled.c
_lives = values_table("lives", **_life_key)
_LOCK_LIVES = Statement(
    select(c.platform_no, c.customer_no, c.meter_no, func.coalesce(u.until, _NOTHING))
    .join_from(
        _lives,
        usage_counters,
        and_(*(c[name] == _lives.c[name] for name in _life_key), c.window == 0, c.starts_at == 0),
    )
    .outerjoin(usage_rolled, u.platform_no == c.platform_no)
    .order_by(c.platform_no, c.customer_no, c.meter_no)
    .with_for_update(of=usage_counters),
    lives=_lives,
)

_born = values_table("born", **_counter_key, count=_BIG, announced=SmallInteger(), held=_BIG)
_INSERT_LIVES = Statement(
    insert(usage_counters)
    .from_select(
        list(_born.c.keys()),
        select(*_born.c).where(is_real_row(_born)).order_by(_born.c.platform_no, _born.c.customer_no, _born.c.meter_no),
    )
    .on_conflict_do_nothing()
    .returning(*(c[name] for name in _life_key)),
    born=_born,
)
_stillborn = values_table("stillborn", **_life_key)
_DELETE_LIVES = Statement(
    delete(usage_counters).where(
        select(1).select_from(_stillborn).where(*(c[name] == _stillborn.c[name] for name in _life_key)).exists(),
        c.window == 0,
        c.starts_at == 0,
    ),
    stillborn=_stillborn,
)

_counted = values_table("counted", **_counter_key, count=_BIG, announced=SmallInteger(), windows=SmallInteger())
_put = insert(usage_counters).from_select(
    [*_counted.c.keys(), "held"], select(*_counted.c, _NOTHING).where(is_real_row(_counted))
)
_PUT_COUNTS = Statement(
    _put.on_conflict_do_update(
        index_elements=list(usage_counters.primary_key),
        set_={name: _put.excluded[name] for name in ("count", "announced", "windows")},
    ),
    counted=_counted,
)

_closed = values_table(
    "closed", **_counter_key, count=_BIG, announced=SmallInteger(), windows=SmallInteger(), closed_until=_BIG
)
_close = insert(usage_counters).from_select(
    [*_closed.c.keys(), "held"], select(*_closed.c, _NOTHING).where(is_real_row(_closed))
)
_CLOSE = Statement(
    _close.on_conflict_do_update(
        index_elements=list(usage_counters.primary_key),
        set_={name: _close.excluded[name] for name in ("count", "windows", "closed_until")},
    ),
    closed=_closed,
)

_added = values_table(
    "added",
    platform_no=_BIG,
    customer_no=_BIG,
    meter_no=_BIG,
    hour=_BIG,
    period_starts_at=_BIG,
    total=_BIG,
    calls=_BIG,
)
_add = insert(usage_hours).from_select(list(_added.c.keys()), select(*_added.c).where(is_real_row(_added)))
_ADD_HOURS = Statement(
    _add.on_conflict_do_update(
        index_elements=list(usage_hours.primary_key),
        set_={
            "total": usage_hours.c.total + _add.excluded.total,
            "calls": usage_hours.c.calls + _add.excluded.calls,
        },
    ),
    added=_added,
)

_late = values_table("late", platform_no=_BIG, hour=_BIG, id=ByteOrderedText)
_NOTE_LATE = Statement(
    insert(usage_late).from_select(list(_late.c.keys()), select(*_late.c).where(is_real_row(_late))), late=_late
)

_counting = values_table("counting", platform_no=_BIG, hour=_BIG)
_SUMMED = Statement(
    select(_counting.c.platform_no, _counting.c.hour).join_from(
        _counting, usage_rolled, and_(u.platform_no == _counting.c.platform_no, u.until > _counting.c.hour)
    ),
    counting=_counting,
)

_asked = values_table("asked", **_event_key)
e = usage_events.c
_EVENTS = Statement(
    select(*(e[name] for name in _event_key), e.fingerprint, e.answer).join_from(
        _asked, usage_events, and_(*(e[name] == _asked.c[name] for name in _event_key))
    ),
    asked=_asked,
)
_happened = values_table("happened", **_event_key, fingerprint=LargeBinary(), answer=Text())
_INSERT_EVENTS = Statement(
    insert(usage_events).from_select(list(_happened.c.keys()), select(*_happened.c).where(is_real_row(_happened))),
    happened=_happened,
)

_windows = values_table("windows", **_counter_key, ends_at=_BIG, period_starts_at=_BIG)
h = usage_hours.c
_SUMS = Statement(
    select(*(_windows.c[name] for name in _counter_key), func.sum(h.total))
    .join_from(
        _windows,
        usage_hours,
        and_(
            *(h[name] == _windows.c[name] for name in _life_key),
            # A period may begin inside an hour.
            h.hour > _windows.c.starts_at - clock.HOUR,
            h.hour < _windows.c.ends_at,
            or_(_windows.c.period_starts_at == h.period_starts_at, _windows.c.period_starts_at < 0),
        ),
    )
    .group_by(*(_windows.c[name] for name in _counter_key)),
    windows=_windows,
)

_subject_key = {**_counter_key, "subject": ByteOrderedText}
_wanted_subjects = values_table("wanted_subjects", **_subject_key)
s = usage_subjects.c
_SUBJECTS = Statement(
    select(*(s[name] for name in _subject_key)).join_from(
        _wanted_subjects, usage_subjects, and_(*(s[name] == _wanted_subjects.c[name] for name in _subject_key))
    ),
    wanted_subjects=_wanted_subjects,
)
_met = values_table("met", **_subject_key)
_INSERT_SUBJECTS = Statement(
    insert(usage_subjects).from_select(list(_met.c.keys()), select(*_met.c).where(is_real_row(_met))), met=_met
)

Rows = Sequence[Sequence[Any]]


# Rows come in the order of their keys: neighbours share pages (over HTTP with 10,000 users: a tenth more calls).
# Locks need that order for life rows only: a transaction that locks these is alone with all other rows of theirs.


async def counts(tx: RawTransaction, wanted: Iterable[CounterKey]) -> Rows:
    return await tx.fetch(_COUNTS, wanted=sorted(wanted))


async def lock_lifetime_counters(tx: RawTransaction, lives: Iterable[LifeKey]) -> Rows:
    """The life rows that exist, in the order of their keys, each locked until the transaction ends.

    With up to when the hours of their platform are summed up.
    """
    return await tx.fetch(_LOCK_LIVES, lives=sorted(lives))


async def insert_lifetime_counters(tx: RawTransaction, lives: Iterable[LifeKey]) -> Rows:
    """Create life rows; returns the created ones, the others were created by somebody else meanwhile."""
    return await tx.fetch(_INSERT_LIVES, born=[(*life, 0, 0, 0, 0, 0) for life in sorted(lives)])


async def delete_unused_lifetime_counters(tx: RawTransaction, lives: Iterable[LifeKey]) -> None:
    await tx.run(_DELETE_LIVES, stillborn=sorted(lives))


async def upsert_counts(tx: RawTransaction, counted: Iterable[tuple[int, ...]]) -> None:
    """Write counters as (key, count, announced, windows); reserved quantities stay as they are."""
    await tx.run(_PUT_COUNTS, counted=sorted(counted))


async def upsert_closed_periods(tx: RawTransaction, closed: Iterable[tuple[int, ...]]) -> None:
    """Write a life and its closed period, as (key, count, announced, windows, closed until)."""
    await tx.run(_CLOSE, closed=sorted(closed))


async def add_hours(tx: RawTransaction, hours: dict[HourKey, list[int]]) -> None:
    await tx.run(_ADD_HOURS, added=[(*key, total, calls) for key, (total, calls) in sorted(hours.items())])


async def summed_hours(tx: RawTransaction, hours: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the hours, given as (platform, hour), that are summed up."""
    return {(row[0], row[1]) for row in await tx.fetch(_SUMMED, counting=sorted(hours))}


async def insert_late_hours(tx: RawTransaction, hours: Iterable[tuple[int, int]]) -> None:
    """Record that something was counted in finished hours, given as (platform, hour)."""
    await tx.run(_NOTE_LATE, late=[(*hour, ids.new("late")) for hour in sorted(hours)])


async def sums_of_hours(tx: RawTransaction, windows: Iterable[tuple[int, ...]]) -> Rows:
    """Sums of windows, given as (counter, end, period's start or -1); windows without hours are left out."""
    return await tx.fetch(_SUMS, windows=list(windows))


async def subjects(tx: RawTransaction, wanted_subjects: Iterable[tuple[Any, ...]]) -> Rows:
    """Those of the subjects that were counted before."""
    return await tx.fetch(_SUBJECTS, wanted_subjects=sorted(wanted_subjects))


async def insert_subjects(tx: RawTransaction, met: Iterable[tuple[Any, ...]]) -> None:
    await tx.run(_INSERT_SUBJECTS, met=sorted(met))


async def events(tx: RawTransaction, asked: Iterable[EventKey]) -> Rows:
    return await tx.fetch(_EVENTS, asked=sorted(asked))


async def insert_events(tx: RawTransaction, happened: Rows) -> None:
    await tx.run(_INSERT_EVENTS, happened=happened)
