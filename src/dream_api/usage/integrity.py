"""Integrity checks of counters, hours, subjects and reservations, for `doctor`."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Join,
    Select,
    Table,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from dream_api.core import clock
from dream_api.core.db import sql_add_months
from dream_api.core.integrity import IntegrityCheck
from dream_api.customers.tables import customers
from dream_api.platforms import home_platform_no
from dream_api.usage.meter_queries import its_meter
from dream_api.usage.meters import REQUESTS
from dream_api.usage.tables import (
    meters,
    reservations,
    usage_counters,
    usage_hours,
    usage_late,
    usage_rolled,
    usage_subjects,
    usage_totals,
)
from dream_api.usage.windows import Window

c = usage_counters.c
h = usage_hours.c
r = reservations.c
s = usage_subjects.c
Query = Select[*tuple[Any, ...]]
_ZERO = literal_column("0", BigInteger())
_WHOSE = ("platform_no", "customer_no", "meter_no")
_COUNTER = (*_WHOSE, "window", "starts_at")


def checks() -> list[IntegrityCheck]:
    return [
        IntegrityCheck("life_is_sum_of_hours", "Each lifetime count of a sum meter is the sum of its hours.", _lives()),
        IntegrityCheck(
            "windows_are_sums_of_hours",
            "Each count of a sum meter for an hour, day, month or billing period is the sum of its hours.",
            _windows(),
        ),
        IntegrityCheck(
            "distinct_counts_are_subjects",
            "Each count of a distinct meter is the number of its subjects.",
            _subjects(),
        ),
        IntegrityCheck(
            "totals_are_sums_of_hours",
            "Each total for charts is the sum of its hours.",
            _totals(),
            hint="Run `dream-api usage rebuild-rollups` to compute them again from the hours.",
        ),
        IntegrityCheck("held_is_reserved", "Each reserved quantity is the sum of the open reservations.", _held()),
        IntegrityCheck(
            "platforms_count_live_calls",
            "The request count of each platform is the number of admitted live calls, and 0 for the operator's "
            "platform.",
            _platforms(),
        ),
        IntegrityCheck(
            "counts_are_not_negative",
            "No lifetime count, billing period count or reserved quantity is negative. Only lifetime rows reserve "
            "quantities.",
            select(usage_counters).where(
                or_(
                    and_(c.count < 0, c.window.in_([Window.LIFE, Window.PERIOD])),
                    c.held < 0,
                    and_(c.held != 0, c.window != 0),
                )
            ),
        ),
        IntegrityCheck(
            "counters_have_lives",
            "Every counter has a lifetime row for its customer and meter, and its meter exists.",
            _homeless(),
        ),
    ]


def _with_meter(table: Table, *, outer: bool = False) -> Join:
    return table.join(meters, its_meter(table), isouter=outer)


def _differing(left: Query, right: Query, keys: tuple[str, ...]) -> Query:
    """Rows whose sum on the left is not that on the right, also where one side has none: (keys…, one, other) each."""
    both = union_all(left, right).subquery().c
    whose = [both[name] for name in keys]
    one, other = func.sum(both.one), func.sum(both.other)
    return select(*whose, one.label("count"), other.label("expected")).group_by(*whose).having(one != other)


def _lives() -> Query:
    counted = (
        select(*(c[name] for name in _WHOSE), c.count.label("one"), _ZERO.label("other"))
        .select_from(_with_meter(usage_counters))
        .where(c.window == int(Window.LIFE), meters.c.aggregation == "sum")
    )
    summed = (
        select(*(h[name] for name in _WHOSE), _ZERO.label("one"), h.total.label("other"))
        .select_from(_with_meter(usage_hours))
        .where(meters.c.aggregation == "sum")
    )
    return _differing(counted, summed, _WHOSE)


def _windows() -> Query:
    ends_at = case(
        (c.window == int(Window.HOUR), c.starts_at + clock.HOUR),
        (c.window == int(Window.DAY), c.starts_at + clock.DAY),
        else_=sql_add_months(c.starts_at),
    )
    total = (
        select(func.coalesce(func.sum(h.total), 0))
        .where(
            *(h[name] == c[name] for name in _WHOSE),
            case(
                (c.window == int(Window.PERIOD), h.period_starts_at == c.starts_at),
                else_=and_(h.hour >= c.starts_at, h.hour < ends_at),
            ),
        )
        .correlate(usage_counters)
        .scalar_subquery()
    )
    return (
        select(*(c[name] for name in _COUNTER), c.count, total.label("expected"))
        .select_from(_with_meter(usage_counters))
        .where(c.window != int(Window.LIFE), meters.c.aggregation == "sum", c.count != total)
    )


def _subjects() -> Query:
    counted = (
        select(*(c[name] for name in _COUNTER), c.count.label("one"), _ZERO.label("other"))
        .select_from(_with_meter(usage_counters))
        .where(meters.c.aggregation == "distinct")
    )
    met = select(*(s[name] for name in _COUNTER), _ZERO.label("one"), literal_column("1", BigInteger()).label("other"))
    return _differing(counted, met, _COUNTER)


def _totals() -> Query:
    """Of hours in which nothing was counted since their sums were made."""
    l, r, t = usage_late.c, usage_rolled.c, usage_totals.c  # noqa: E741
    summed = select(t.platform_no, t.meter_no, t.mode, t.hour, t.total.label("one"), _ZERO.label("other")).join(
        usage_rolled, and_(r.platform_no == t.platform_no, r.until > t.hour)
    )
    mode = case((customers.c.mode == "test", _ZERO), else_=literal_column("1", BigInteger()))
    counted = (
        select(h.platform_no, h.meter_no, mode.label("mode"), h.hour, _ZERO.label("one"), h.total.label("other"))
        .join(usage_rolled, and_(r.platform_no == h.platform_no, r.until > h.hour))
        .join(customers, and_(customers.c.platform_no == h.platform_no, customers.c.no == h.customer_no))
    )
    differing = _differing(summed, counted, ("platform_no", "meter_no", "mode", "hour")).subquery()
    d = differing.c
    noted = select(l.id).where(l.platform_no == d.platform_no, l.hour == d.hour).correlate(differing)
    return select(differing).where(~noted.exists())


def _held() -> Query:
    held = select(*(c[name] for name in _WHOSE), c.held.label("one"), _ZERO.label("other")).where(
        c.window == int(Window.LIFE)
    )
    both = _reserved().subquery().c
    return _differing(
        held, select(*(both[name] for name in _WHOSE), _ZERO.label("one"), both.quantity.label("other")), _WHOSE
    )


def _reserved() -> CompoundSelect[*tuple[Any, ...]]:
    """What open reservations hold of customers, and of platforms."""
    own = select(r.platform_no, r.customer_no, r.meter_no, r.quantity).where(r.state == "open")
    of_level = select(
        r.platform_no,
        _ZERO.label("customer_no"),
        r.level_meter_no.label("meter_no"),
        literal_column("1", BigInteger()).label("quantity"),
    ).where(r.state == "open", r.level_meter_no.is_not(None))
    return union_all(own, of_level)


def _platforms() -> Query:
    counted = (
        select(c.platform_no, c.count.label("one"), _ZERO.label("other"))
        .select_from(_with_meter(usage_counters))
        .where(c.customer_no == 0, c.window == int(Window.LIFE), meters.c.name == REQUESTS)
    )
    called = (
        select(h.platform_no, _ZERO.label("one"), h.calls.label("other"))
        .join(customers, and_(customers.c.platform_no == h.platform_no, customers.c.no == h.customer_no))
        .where(customers.c.mode == "live", h.platform_no != home_platform_no())
    )
    return _differing(counted, called, ("platform_no",))


def _homeless() -> Query:
    life = usage_counters.alias("life").c
    has_life = (
        select(life.platform_no)
        .where(*(life[name] == c[name] for name in _WHOSE), life.window == int(Window.LIFE))
        .correlate(usage_counters)
        .exists()
    )
    return (
        select(*(c[name] for name in _COUNTER))
        .select_from(_with_meter(usage_counters, outer=True))
        .where(or_(meters.c.meter_no.is_(None), ~has_life))
    )
