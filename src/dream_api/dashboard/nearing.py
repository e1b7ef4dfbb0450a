"""Which customers come near a hard limit, in the windows that are open at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, Float, Row, and_, case, cast, false, func, literal, or_, select

from dream_api.catalog.tables import tier_limits, tiers
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.db.tables import Number
from dream_api.customers import SILENCE, Scope, period_of
from dream_api.customers.tables import customers
from dream_api.dashboard.within import Within, rows_within
from dream_api.usage import Limit, Meter, OpenLimit, Period, Window, open_at
from dream_api.usage.tables import usage_counters

NEAR_PERCENT = 80
_MOST = 10
# A period is at most a month.
_LONGEST_PERIOD = 31 * clock.DAY
# Of a period that was paid for by the year, the month before the present one may be read as well: so many at most.
_READ = 5 * _MOST

c = customers.c
u = usage_counters.c


@dataclass(frozen=True, slots=True)
class Near:
    """A customer who has used so many of a hard limit, until the window ends (None: never)."""

    customer_id: str
    user_id: str
    plan: str
    meter: str
    window: Window
    count: int
    limit: int
    ends_at: int | None

    @property
    def percent(self) -> int:
        return self.count * 100 // self.limit


async def near_limits(tx: Tx, scope: Scope, meters: Sequence[Meter], now: int) -> list[Near]:
    """The ten largest shares of a limit from 80 % on, of customers who are active; one statement."""
    names = {meter.no: meter.name for meter in meters}
    rows = await _candidates(tx, scope, [*names], now)
    opened = ((row, _open_limit(row, now)) for row in rows)
    return [_near(row, names, limit) for row, limit in opened if limit.starts_at == row.starts_at][:_MOST]


def _open_limit(row: Row[Any], now: int) -> OpenLimit:
    limit = Limit(row.meter_no, Window[row.window.upper()], "hard", row.max)
    return open_at(limit, now, Period(*(period_of(row, now) or clock.month_of(now))))


def _near(row: Row[Any], names: Mapping[int, str], limit: OpenLimit) -> Near:
    return Near(row.id, row.user_id, row.plan, names[row.meter_no], limit.window, row.used, row.max, limit.ends_at)


async def _candidates(tx: Tx, scope: Scope, meter_nos: list[int], now: int) -> Sequence[Row[Any]]:
    """The counters of all limits that may be open, the largest share first.

    Counters that come near no plan's limit are left out before anybody asks whose they are: most of them.
    """
    plans = _plans(scope)
    limits = _limits(plans, scope, meter_nos, now)
    l = limits.c  # noqa: E741
    of_window = (l.meter_no, l.window, l.window_no, l.earliest, l.latest)
    lowest = select(*of_window, func.min(l.max).label("max")).group_by(*of_window).subquery("lowest")
    counter = and_(
        u.platform_no == scope.platform_no,
        u.meter_no == lowest.c.meter_no,
        u.window == lowest.c.window_no,
        u.starts_at.between(lowest.c.earliest, lowest.c.latest),
        _is_near(lowest.c.max),
    )
    # Adding nothing keeps SQLite's planner to this order: it would look for the counters of all customers, one by one,
    # or for whose they are before it knows what is near, or try all plans' limits before it knows the customer's.
    nothing = lowest.c.window_no * literal(0, Number)
    theirs = and_(c.platform_id == scope.platform_id, c.no == u.customer_no + nothing)
    own = plans.alias("own")
    default = select(plans.c.name).where(plans.c.is_default).limit(1).scalar_subquery()
    limit = and_(
        l.plan == func.coalesce(own.c.name, default),
        l.meter_no + nothing == lowest.c.meter_no,
        l.window_no + nothing == lowest.c.window_no,
    )
    return await tx.all(
        select(
            c.id,
            c.user_id,
            c.period_starts_at,
            c.period_ends_at,
            l.plan,
            l.meter_no,
            l.window,
            l.max,
            u.starts_at,
            u.count.label("used"),
        )
        .select_from(lowest)
        .join(usage_counters, counter)
        .join(customers, theirs)
        .outerjoin(own, own.c.name == c.plan)
        .join(limits, limit)
        .where(
            *rows_within(customers, scope.platform_id, Within(scope.mode, scope.project_id)),
            c.status == "active",
            _is_near(l.max),
            or_(l.window != Window.PERIOD.name.lower(), u.starts_at.between(*_period_opened_between(now))),
        )
        .order_by((cast(u.count, Float) / l.max).desc(), c.id, l.meter_no, l.window)
        .limit(_READ)
    )


def _plans(scope: Scope) -> CTE:
    """All of the scope, few: read once, before anybody is looked up."""
    t = tiers.c
    whose = rows_within(tiers, scope.platform_id, Within(scope.mode, scope.project_id))
    return select(t.id, t.name, t.is_default).where(*whose).cte("plans")


def _limits(plans: CTE, scope: Scope, meter_nos: list[int], now: int) -> CTE:
    """The hard limits of plans, by the plans' names, and when their present windows can have begun."""
    l = tier_limits.c  # noqa: E741
    window_no = case({window.name.lower(): int(window) for window in Window}, value=l.window)
    earliest, latest = _opened_between(l.window, now)
    told = (l.meter_no, l.window, window_no.label("window_no"), l.max)
    return (
        select(plans.c.name.label("plan"), *told, earliest.label("earliest"), latest.label("latest"))
        .join_from(plans, tier_limits, l.tier_id == plans.c.id)
        .where(l.platform_id == scope.platform_id, l.kind == "hard", l.max > 0, l.meter_no.in_(meter_nos))
        .cte("limits")
    )


def _is_near(limit: ColumnElement[int]) -> ColumnElement[bool]:
    return u.count * 100 >= limit * NEAR_PERCENT


def _opened_between(window: ColumnElement[str], now: int) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """When the present window can have begun, of whichever customer: exact, but for periods."""
    month, _ = clock.month_of(now)
    fixed = {"life": 0, "hour": clock.hour_of(now), "day": now - now % clock.DAY, "month": month}
    earliest, latest = ({**fixed, "period": at} for at in (now - _LONGEST_PERIOD, now))
    return _by_name(window, earliest), _by_name(window, latest)


def _by_name(window: ColumnElement[str], moments: Mapping[str, int]) -> ColumnElement[int]:
    return case(*((window == name, literal(at, Number)) for name, at in moments.items()))


def _period_opened_between(now: int) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """When the customer's present period can have begun.

    Exact where it is the calendar month; months of what a subscription has paid for are counted by
    `customers.period_of` alone.
    """
    is_subscribed = and_(c.period_starts_at <= now, c.period_ends_at > now - SILENCE)
    paid_for = case((c.period_ends_at > now, c.period_starts_at), else_=c.period_ends_at)
    month = literal(clock.month_of(now)[0], Number)
    of_month = (~func.coalesce(is_subscribed, false()), month)
    return case(of_month, else_=paid_for), case(of_month, else_=literal(now, Number))
